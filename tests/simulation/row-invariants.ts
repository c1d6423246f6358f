import { isTerminal } from '../../shared/domain/execution.ts';
import { healer } from '../../shared/domain/healing.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { moveEndpointShape, stepIndex } from '../../shared/domain/workflow-shape.ts';
import type { Announcement } from '../../shared/ports/bus.ts';
import type { Change } from '../../shared/workflow/relay-changes.ts';
import { Broken } from './invariants.ts';
import type { Standing } from './records.ts';

/** What must hold of each write of the table, as it happens. @throws Broken */
export function assertChange(standing: Standing, change: Change): void {
  const { before, after } = change;
  if (after === undefined) {
    if (change.kind !== 'cleanup') throw new Broken(`a ${change.kind} has been removed`);
    return;
  }
  if (before !== undefined && after.version < before.version) {
    throw new Broken(`a ${change.kind} went back from version ${String(before.version)}`);
  }
  switch (change.kind) {
    case 'host':
      if (change.after !== undefined) assertPermits(change.after);
      return;
    case 'endpoint':
      if (change.after !== undefined) assertPlacement(standing, change.before, change.after);
      return;
    case 'move':
      if (change.after !== undefined) assertMove(standing, change.before, change.after);
      return;
    case 'batch':
      if (change.before?.state === 'completed' && change.after?.state !== 'completed') {
        throw new Broken(`batch ${change.before.id} was completed and is not any more`);
      }
      if (change.before === undefined) assertOneHealing(standing);
      return;
    case 'request':
      if (change.before !== undefined && change.before.outcome.kind !== 'pending') {
        throw new Broken(`request ${change.before.id} was answered twice`);
      }
      return;
    case 'cleanup':
    case 'letter':
    case 'fleet':
    case 'news':
    case 'pace':
    case 'scaler':
      return;
    default:
      return change satisfies never;
  }
}

/** A failed host is emptied by one batch at a time. */
function assertOneHealing({ batches }: Standing): void {
  const open = new Set<string>();
  for (const { requestSource, requestId, state } of batches.values()) {
    if (requestSource !== healer || state === 'completed') continue;
    const [host = ''] = requestId.split(' ');
    if (open.has(host)) throw new Broken(`two batches empty ${host}`);
    open.add(host);
  }
}

function assertPermits({ name, movesOut, movesIn, permitsOut, permitsIn }: Host): void {
  if (permitsOut.length > movesOut) throw new Broken(`${String(permitsOut.length)} moves leave ${name}`);
  if (permitsIn.length > movesIn) throw new Broken(`${String(permitsIn.length)} moves enter ${name}`);
}

function assertPlacement(standing: Standing, before: Placement | undefined, after: Placement): void {
  const { endpoint, arbitration, claim, epoch, host, announcedEpoch } = after;
  if (arbitration.kind !== 'serving') {
    if (claim?.move !== arbitration.move) {
      throw new Broken(`${endpoint} is ${arbitration.kind} by ${arbitration.move}, which does not hold it`);
    }
    const move = standing.moves.get(`MOVE#${arbitration.move} MOVE`);
    if (move === undefined || arbitration.token > move.execution.token) {
      throw new Broken(`${endpoint} is ${arbitration.kind} under a token that ${arbitration.move} never had`);
    }
  }
  if (announcedEpoch > epoch) throw new Broken(`${endpoint}: an epoch was announced that never was`);
  if (before === undefined) return;
  if (epoch !== before.epoch + (host === before.host ? 0 : 1)) {
    throw new Broken(
      `${endpoint} went from epoch ${String(before.epoch)} on ${before.host} to ${String(epoch)} on ${host}`,
    );
  }
  if (host !== before.host && before.arbitration.kind !== 'frozen' && before.arbitration.kind !== 'flipped') {
    throw new Broken(`${endpoint} was flipped while it was ${before.arbitration.kind}`);
  }
}

/** Last lines of defence, and what only a defect leads to: none of these is ever met. */
const never: readonly string[] = [
  'contents-differ',
  'sequence-differs',
  'source-written-after-freeze',
  'result-missing',
  'preflight-missing',
  'source-open',
  'not-ours',
  'identity-mismatch',
  'duplicate-key',
  'unexpected',
];

const pivot = stepIndex(moveEndpointShape, 'activate');

function assertMove(standing: Standing, before: Move | undefined, after: Move): void {
  const { id, execution, endpoint, source, target } = after;
  const { status } = execution;
  const placement = standing.placements.get(`ENDPOINT#${endpoint} ENDPOINT`);
  if (before !== undefined) {
    const was = before.execution;
    if (execution.token < was.token) throw new Broken(`${id} went back to an older token`);
    const isNew = JSON.stringify(status) !== JSON.stringify(was.status);
    if (isTerminal(was.status.state) && isNew) throw new Broken(`${id} had ended and has changed`);
  }
  if ('lease' in status && status.lease.token !== execution.token) {
    throw new Broken(`${id} is leased under an old token`);
  }
  const failure =
    'reason' in status ? status.reason : 'lastFailure' in status ? status.lastFailure : undefined;
  if (failure !== undefined && never.includes(failure.code)) {
    throw new Broken(`${id} met what never happens: ${failure.code}: ${failure.sentence}`);
  }
  if (before === undefined || isTerminal(before.execution.status.state)) return;
  if (status.state === 'running' && stepIndex(moveEndpointShape, status.step) < pivot) {
    if (placement?.claim?.move !== id) throw new Broken(`${id} runs and does not hold ${endpoint}`);
    const leaves = standing.hosts.get(`HOST#${source} HOST`)?.permitsOut.includes(id) ?? false;
    const enters = standing.hosts.get(`HOST#${target} HOST`)?.permitsIn.includes(id) ?? false;
    if (!leaves || !enters) throw new Broken(`${id} runs without permits`);
  }
  if (status.state === 'rolled-back' && placement?.claim?.move === id) {
    throw new Broken(`${id} was rolled back and still holds ${endpoint}`);
  }
}

/** What the world is told is so, or has been so. @throws Broken */
export function assertTold(homes: ReadonlyMap<string, string>, told: readonly Announcement[]): void {
  for (const { id, type, data } of told) {
    if (type !== 'endpoint.moved') continue;
    const host = JSON.stringify(data['host']);
    if (JSON.stringify(homes.get(id)) !== host) {
      throw new Broken(`${id} was announced on ${host}, and was on ${String(homes.get(id))}`);
    }
  }
}
