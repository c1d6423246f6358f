import { check } from '../../shared/drivers/simulated/check.ts';
import type { Network } from '../../shared/drivers/simulated/network.ts';
import { failedSince } from '../../shared/domain/health.ts';
import { batchesOf, isLeftAlone } from '../../shared/domain/healing.ts';
import type { Host } from '../../shared/domain/host.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import { isSettled, labelOf } from '../../shared/domain/move.ts';
import type { MemoryBus } from '../support/memory-bus.ts';
import type { Cloud } from './cloud.ts';
import type { Standing } from './records.ts';

/** What is not as it must be once everything is over. Empty: it is. */
export function complaints(
  standing: Standing,
  network: Network,
  cloud: Cloud,
  bus: Pick<MemoryBus, 'announced' | 'notified'>,
): readonly string[] {
  const idsOf = (said: readonly { readonly id: string }[]) => new Set(said.map(({ id }) => id));
  const found = ofRows(standing, { world: idsOf(bus.announced), people: idsOf(bus.notified) });
  if (!cloud.isIdle) found.push(`${String(cloud.messagesUnderWay)} messages are still under way`);
  // Every write is looked at only when nothing else is left to look at.
  return found.length > 0 ? found : ofHosts(network);
}

interface Told {
  readonly world: ReadonlySet<string>;
  readonly people: ReadonlySet<string>;
}

function ofRows(standing: Standing, told: Told): string[] {
  const found: string[] = [];
  for (const { id, outcome } of standing.requests.values()) {
    if (outcome.kind === 'pending') found.push(`request ${id} has no answer`);
  }
  for (const batch of standing.batches.values()) {
    if (batch.state !== 'completed') found.push(`batch ${batch.id} is ${batch.state}`);
    else if (!told.world.has(`${batch.id}:completed`) || !told.people.has(`${batch.id}:completed`))
      found.push(`the end of batch ${batch.id} was never told`);
    const counted = Object.values(batch.counts).reduce((sum, count) => sum + count, 0);
    if (batch.state === 'completed' && counted !== batch.total) {
      found.push(`batch ${batch.id} counts ${String(counted)} of ${String(batch.total)}`);
    }
  }
  for (const { id, execution } of standing.moves.values()) {
    const { status } = execution;
    if (!isTerminal(status.state)) found.push(`move ${id} is ${status.state}: ${JSON.stringify(status)}`);
    if (status.state === 'stuck') found.push(`move ${id} is stuck in ${status.step}: ${status.reason.code}`);
    if (!isSettled(labelOf(execution))) found.push(`move ${id} is ${labelOf(execution)}`);
  }
  for (const { endpoint, claim, arbitration, epoch, announcedEpoch } of standing.placements.values()) {
    if (claim !== undefined) found.push(`${endpoint} is still held by ${claim.move}`);
    if (arbitration.kind !== 'serving') found.push(`${endpoint} is ${arbitration.kind}`);
    if (announcedEpoch !== epoch || (epoch > 1 && !told.world.has(`${endpoint}:${String(epoch)}`))) {
      found.push(`epoch ${String(epoch)} of ${endpoint} was never told`);
    }
  }
  for (const host of standing.hosts.values()) found.push(...leftOn(standing, host));
  for (const { name, permitsOut, permitsIn, reserved } of standing.hosts.values()) {
    for (const move of [...permitsOut, ...permitsIn]) found.push(`${move} holds a permit of ${name}`);
    for (const move of Object.keys(reserved)) found.push(`space is reserved on ${name} for ${move}`);
  }
  for (const { id, toldAt } of standing.notifications.values())
    if (toldAt === undefined || !told.people.has(id)) found.push(`nobody was told of ${id}`);
  for (const [name, keys] of standing.cleanups) found.push(`${name} still has ${[...keys].join(', ')}`);
  return found;
}

/** What nobody has moved, or has tried to, off a host that has failed. */
function leftOn({ placements, moves }: Standing, host: Host): string[] {
  const since = failedSince(host);
  if (since === undefined) return [];
  const tried = batchesOf(host, since);
  return [...placements.values()].flatMap((placement) => {
    if (placement.host !== host.name) return [];
    const last = moves.get(`MOVE#${String(placement.lastMove)} MOVE`);
    return isLeftAlone(last, tried)
      ? []
      : [`${placement.endpoint} is left on ${host.name}, which has failed`];
  });
}

function ofHosts(network: Network): string[] {
  const { lost, duplicated, reordered, homeless, doubled, residue } = check(network, 'is-residue');
  return [
    ...(lost + duplicated + reordered === 0
      ? []
      : [
          `${String(lost)} writes are lost, ${String(duplicated)} doubled, ${String(reordered)} out of order`,
        ]),
    ...homeless.map((database) => `"${database}" serves nowhere`),
    ...doubled.map((database) => `"${database}" serves twice`),
    ...Object.entries(residue).map(([host, items]) => `${host} still has ${items.join(', ')}`),
    ...[...network.hosts.values()].flatMap(({ name, sessions }) =>
      [...sessions.values()]
        .filter(({ token }) => token !== undefined)
        .map(({ id }) => `a session ${id} of a worker is still open on ${name}`),
    ),
  ];
}
