import type { Behaviour } from './behaviour.ts';
import * as clients from './clients.ts';
import * as fencing from './fencing.ts';
import { endSessions, refuse, type Host } from './host.ts';
import * as inspection from './inspection.ts';
import type { Inputs, Kind, Outputs } from './protocol.ts';
import * as replication from './replication.ts';
import type { Scene } from './scene.ts';

/**
 * The model of a simulated host: what a server would do, and nothing of how one is reached.
 *
 * It is deterministic: the same host, operations and times give the same answers and the same host. There is no
 * clock, chance or I/O in it. A host is changed in place; a refused effect has not happened.
 */

type Operation<K extends Kind> = (scene: Scene, input: Inputs[K]) => Outputs[K];

const operations: { readonly [K in Kind]: Operation<K> } = {
  describe: inspection.describe,
  discover: inspection.discover,
  inspect: inspection.inspect,
  survey: inspection.survey,
  'create-database': fencing.createDatabase,
  'name-database': fencing.nameDatabase,
  publish: replication.publish,
  subscribe: replication.subscribe,
  replication: replication.replication,
  digest: inspection.digest,
  fence: fencing.fence,
  unfence: fencing.unfence,
  marker: fencing.marker,
  settle: replication.settle,
  pull: replication.pull,
  'fence-for-good': fencing.fenceForGood,
  open: fencing.open,
  probe: fencing.probe,
  tail: replication.tail,
  unsubscribe: fencing.unsubscribe,
  unpublish: fencing.unpublish,
  retain: fencing.retain,
  'drop-database': fencing.dropDatabase,
  stock: inspection.stock,
  residue: inspection.residue,
  'remove-residue': inspection.removeResidue,
  write: clients.write,
  begin: clients.begin,
  commit: clients.commit,
  rows: clients.rows,
  'change-schema': clients.changeSchema,
  'cut-sessions': clients.cutSessions,
};

/** @throws Refusal when the host says no */
export function apply<K extends Kind>(scene: Scene, kind: K, input: Inputs[K]): Outputs[K] {
  const operation: Operation<K> = operations[kind];
  if (strikes(scene.host, 'fail', kind)) {
    throw refuse(
      'retry',
      'injected',
      `${kind} on ${scene.host.name} was told to fail`,
      'it is tried again by itself',
    );
  }
  return operation(scene, input);
}

/** True as often as the host's behaviour says for this operation. */
export function strikes(host: Host, fault: 'fail' | 'lose', kind: Kind): boolean {
  const times = host.behaviour[fault]?.[kind] ?? 0;
  const key = `${fault} ${kind}`;
  const struck = host.struck.get(key) ?? 0;
  if (struck >= times) return false;
  host.struck.set(key, struck + 1);
  return true;
}

/** Other behaviour from now on; the counts of injected faults begin again. */
export function behave(host: Host, behaviour: Behaviour): void {
  host.behaviour = behaviour;
  host.struck.clear();
  if (behaviour.down === true) host.sessions.clear();
}

/** The server stops at once and starts again: sessions end, and what no commit had made durable is gone. */
export function crash(host: Host): void {
  host.sessions.clear();
  for (const database of host.databases.values()) database.rows.length = database.durable;
  for (const subscription of host.subscriptions.values()) subscription.applied = subscription.flushed;
}

/** A connection has ended: whatever was open over it is rolled back. */
export function disconnect(host: Host, link: string): void {
  endSessions(host, (session) => session.link === link);
}
