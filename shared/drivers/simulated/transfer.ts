import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { StepEnd } from '../../ports/driver.ts';
import { entry, type Ground } from './ground.ts';
import type { Outputs } from './protocol.ts';

const done = { kind: 'done' } as const;

/** The target's database: recorded, made, recorded with its number, named. */
export async function provision({ job, names, target, recorded, onTarget }: Ground): Promise<StepEnd> {
  const { targetSystem, owner, schema, extensions } = recorded();
  await job.cleanup.record(job.target.host, [
    entry('database', names.provisional, targetSystem),
    entry('subscription', names.stream, targetSystem),
  ]);
  const { oid } = await target.ask('create-database', {
    system: targetSystem,
    token: job.token,
    name: names.provisional,
    mark: names.mark,
    owner,
    schema,
    extensions: [...extensions],
  });
  await job.cleanup.record(job.target.host, [
    entry('database', names.provisional, targetSystem, { oid }),
    entry('subscription', names.stream, targetSystem, { oid }),
  ]);
  await target.ask('name-database', { guard: onTarget(), to: job.database });
  return done;
}

/** Publication and slot on the source, subscription on the target: the hosts then copy by themselves. */
export async function copy(ground: Ground): Promise<StepEnd> {
  const { job, names, source, target, recorded, onSource, onTarget } = ground;
  const { mode, sourceSystem, oid } = recorded();
  const streams = [
    entry('publication', names.stream, sourceSystem, { oid }),
    entry('slot', names.stream, sourceSystem, { oid }),
  ];
  await job.cleanup.record(job.source.host, [
    ...(mode === 'online' ? streams : []),
    // What the freeze will change; recorded with the rest so that nothing is written just before it.
    entry('access', job.database, sourceSystem, { oid, restore: 'open' }),
  ]);
  if (mode === 'offline') return done;
  await source.ask('publish', { guard: onSource(), name: names.stream });
  const status = await target.ask('subscribe', {
    guard: onTarget(),
    name: names.stream,
    source: job.source.url,
    slot: names.stream,
  });
  if (status.state === 'applying') return done;
  return waiting(
    'copying',
    `${String(status.copiedBytes)} of ${String(status.totalBytes)} bytes copied`,
    status.etaMs,
    { copiedBytes: status.copiedBytes, totalBytes: status.totalBytes },
  );
}

export async function catchUp(ground: Ground): Promise<StepEnd> {
  const { job, recorded } = ground;
  if (recorded().mode === 'offline') return done;
  const status = await lag(ground);
  if (status.state === 'applying' && status.lagBytes <= job.policy.lagLimitBytes) return done;
  return waiting('catching-up', `${String(status.lagBytes)} bytes behind`, status.etaMs, {
    lagBytes: status.lagBytes,
    lagMs: status.etaMs,
    applied: status.applied,
  });
}

/** Both sides' hash up to the position that the target has reached. */
export async function verify({
  names,
  source,
  target,
  recorded,
  onSource,
  onTarget,
}: Ground): Promise<StepEnd> {
  if (recorded().mode === 'offline') return { kind: 'done', result: { kind: 'offline' } };
  const { applied } = await target.ask('replication', { subscription: names.stream });
  const there = await target.ask('digest', { guard: onTarget(), upTo: null, session: false });
  const here = await source.ask('digest', { guard: onSource(), upTo: applied, session: false });
  return { kind: 'done', result: { ...compare(here, there), position: applied } };
}

/** @throws StepFailure `contents-differ`, `schema-changed` */
export function compare(here: Outputs['digest'], there: Outputs['digest']): { readonly [key: string]: Json } {
  if (here.schema !== there.schema) {
    throw new StepFailure(
      {
        code: 'schema-changed',
        sentence: `the schema of the source is now ${here.schema}; the target was made with ${there.schema}`,
        cure: 'let migrations rest while an endpoint moves, and start the move again',
      },
      'fail',
    );
  }
  if (here.digest !== there.digest) {
    throw new StepFailure(
      {
        code: 'contents-differ',
        sentence: `the source has ${String(here.rows)} rows and the target ${String(there.rows)}, and they differ`,
        cure: 'look for a writer on the target; start the move again',
      },
      'fail',
    );
  }
  return { kind: 'equal', rows: here.rows, digest: here.digest };
}

/** A question that asks nothing. */
export async function ping(ground: Ground, side: 'source' | 'target'): Promise<void> {
  await ground[side].ask('describe', {});
}

/** How long writers would wait: the tail that is left, and the messages that a freeze takes. */
export async function predictPause(ground: Ground): Promise<{ readonly ms: number; readonly why: string }> {
  const { mode, bytes } = ground.recorded();
  if (mode === 'offline') return { ms: 0, why: `offline: closed while ${String(bytes)} bytes are copied` };
  const { etaMs, lagBytes } = await lag(ground);
  return { ms: etaMs, why: `${String(lagBytes)} bytes to apply` };
}

async function lag({ names, target }: Ground): Promise<Outputs['replication']> {
  return await target.ask('replication', { subscription: names.stream });
}

function waiting(code: string, on: string, etaMs: number, progress: Json): StepEnd {
  return { kind: 'wait', code, on, afterMs: Math.min(Math.max(etaMs, 20), 5_000), progress };
}
