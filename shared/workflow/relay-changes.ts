import { explainState } from '../domain/explain.ts';
import type { CutoverWord } from '../domain/pause.ts';
import { isSettled, isStuckUntold, labelOf, type Move, type MoveLabel } from '../domain/move.ts';
import { isUnannounced, type Placement } from '../domain/placement.ts';
import type { BatchId } from '../domain/ids.ts';
import type { RequestRecord } from '../domain/request.ts';
import type { Scaler } from '../domain/scaling.ts';
import { placeOfBatch } from '../domain/trace.ts';
import type { HistoryEntry, RecordKind, Records } from '../ports/store.ts';
import { announcePlacement } from './announce-placement.ts';
import { endJoined } from './joined-moves.ts';
import { tellMoves } from './life-spans.ts';
import { noteTurns } from './move-figures.ts';
import type { Services } from './services.ts';
import { sendNotification, tellStuck } from './tell-people.ts';

export type RelayServices = Pick<
  Services,
  'store' | 'journal' | 'bus' | 'clock' | 'log' | 'meter' | 'tracer' | 'settings'
>;

/** One change of a record, as the table's stream tells it. */
export type Change = {
  readonly [K in RecordKind]: {
    readonly kind: K;
    readonly before?: Records[K];
    readonly after?: Records[K];
  };
}[RecordKind];

/**
 * Makes of what has been committed what the world and people see: announcements, news, history, counts, wake-ups.
 * Nothing is lost when this is: rows say what is still to be told, and the sweep tells it.
 */
export async function relayChanges(services: RelayServices, changes: readonly Change[]): Promise<void> {
  const moves = changes.flatMap((change) =>
    change.kind === 'move' && change.after !== undefined ? [change] : [],
  );
  const news = new Set(changes.flatMap((change) => (change.kind === 'news' ? (change.after?.id ?? []) : [])));
  const carriers = moves.flatMap(({ before, after }) =>
    after !== undefined && hasEnded(before, after) ? [after] : [],
  );
  const stuck = moves.flatMap(({ after }) => (after !== undefined && isStuckUntold(after) ? [after] : []));
  const posted = changes.flatMap((change) =>
    change.kind === 'request' && change.after !== undefined && isWaiting(change.after) ? [change.after] : [],
  );
  noteTurns(services.meter, moves);
  tellMoves(services, moves);
  const placements = changes.flatMap((change) => (change.kind === 'endpoint' ? (change.after ?? []) : []));
  await Promise.all([
    services.journal.append(moves.flatMap((change) => historyOf(change.before, change.after))),
    countMoves(services, moves),
    ...(posted.length === 0 ? [] : [services.bus.publish(posted)]),
    ...changes.flatMap((change) => (change.kind === 'scaler' ? [tellOfScaling(services, change)] : [])),
    ...latest(placements)
      .filter(isUnannounced)
      .map((placement) => announcePlacement(services, placement)),
    ...carriers.map((carrier) => endJoined(services, carrier)),
    ...stuck.map((move) => tellStuck(services, move)),
    ...[...news].map((id) => passOn(services, id)),
  ]);
}

/** It was posted to the API, and nobody has taken it yet. */
const isWaiting = ({ posted, outcome }: RequestRecord): boolean =>
  posted !== undefined && outcome.kind === 'pending';

/** As it is now: a change that is told once more has been told to people before. */
async function passOn(services: RelayServices, id: string): Promise<void> {
  const notification = await services.store.load('news', { id });
  if (notification !== undefined) await sendNotification(services, notification);
}

/** Each decision of the autoscaler is told, with its reason. */
async function tellOfScaling(
  { bus }: RelayServices,
  { before, after }: { readonly before?: Scaler; readonly after?: Scaler },
): Promise<void> {
  const [decision] = after?.decisions ?? [];
  if (after === undefined || decision === undefined || decision.at === before?.decisions[0]?.at) return;
  const { at, direction, from, to, reason } = decision;
  await bus.announce([
    {
      id: `${after.target}:${String(after.version)}`,
      type: 'permits.scaled',
      subject: after.target,
      at,
      data: { target: after.target, direction, from: { ...from }, to: { ...to }, reason },
    },
  ]);
}

/** Has it just come to an end that others wait for? */
const hasEnded = (before: Move | undefined, after: Move): boolean =>
  after.reasons !== undefined &&
  isSettled(labelOf(after.execution)) &&
  (before === undefined || !isSettled(labelOf(before.execution)));

interface MoveChange {
  readonly before?: Move;
  readonly after?: Move;
}

async function countMoves(services: RelayServices, changes: readonly MoveChange[]): Promise<void> {
  const perBatch = new Map<BatchId, Partial<Record<MoveLabel, number>>>();
  const settled = new Set<BatchId>();
  for (const { before, after } of changes) {
    if (after === undefined) continue;
    const from = before === undefined ? undefined : labelOf(before.execution);
    const to = labelOf(after.execution);
    if (from === to) continue;
    const counts = perBatch.get(after.batch) ?? {};
    if (from !== undefined) counts[from] = (counts[from] ?? 0) - 1;
    counts[to] = (counts[to] ?? 0) + 1;
    perBatch.set(after.batch, counts);
    if (isSettled(to) && (from === undefined || !isSettled(from))) settled.add(after.batch);
  }
  for (const [batch, counts] of perBatch) await services.journal.count(batch, counts);
  // Whoever has settled has given its permits back.
  if (settled.size > 0) await services.bus.sendDispatch({});
  for (const id of settled) {
    const batch = await services.store.load('batch', { id });
    if (batch?.state === 'running' && isFull(batch.counts, batch.total))
      await services.tracer.within(placeOfBatch(batch), async () => services.bus.sendDispatch({ batch: id }));
  }
}

/** By the display counts, which may err: asking too early costs a look, too late the sweep asks again. */
function isFull(counts: Readonly<Partial<Record<MoveLabel, number>>>, total: number | undefined): boolean {
  const settled = (['moved', 'retired', 'rolled-back', 'stuck'] as const).reduce(
    (sum, label) => sum + (counts[label] ?? 0),
    0,
  );
  return total !== undefined && settled >= total;
}

function historyOf(before: Move | undefined, after: Move | undefined): HistoryEntry[] {
  if (after === undefined) return [];
  const { last, timings } = after.execution;
  // A heartbeat is no news, nor is that people know.
  if (last.fact === 'lease-extended' || before?.stuckTold !== after.stuckTold) return [];
  const { cutover } = after;
  if (before !== undefined && cutover !== undefined && !isSameWord(cutover, before.cutover))
    return [wordOf(after, cutover)];
  const step = before === undefined ? undefined : stepOf(before);
  const ms = step === undefined || last.fact !== 'step-finished' ? undefined : timings[step];
  return [
    {
      move: after.id,
      version: after.version,
      at: last.at,
      by: last.by,
      fact: last.fact,
      from: before === undefined ? 'none' : before.execution.status.state,
      to: after.execution.status.state,
      ...(step === undefined ? {} : { step }),
      ...(ms === undefined ? {} : { ms }),
      note: noteOf(after.execution).slice(0, 500),
    },
  ];
}

const isSameWord = (one: CutoverWord, other: CutoverWord | undefined): boolean =>
  one.at === other?.at && one.kind === other.kind;

/** A person's word on a move changes nothing of its state. */
function wordOf(
  { id, version, execution: { status } }: Move,
  { kind, by, at, reason }: CutoverWord,
): HistoryEntry {
  const entry = { move: id, version, at, by, fact: kind, from: status.state, to: status.state };
  return { ...entry, note: `cutover ${kind}: ${reason}` };
}

/** What it does then; with why, where a person has given a reason. */
function noteOf(execution: Move['execution']): string {
  const { note } = execution.last;
  return note === undefined ? explainState(execution) : `${note}; ${explainState(execution)}`;
}

function stepOf({ execution: { status } }: Move): string | undefined {
  return 'step' in status ? status.step : undefined;
}

function latest(placements: readonly Placement[]): Placement[] {
  const newest = new Map<string, Placement>();
  for (const placement of placements) {
    if ((newest.get(placement.endpoint)?.version ?? 0) < placement.version)
      newest.set(placement.endpoint, placement);
  }
  return [...newest.values()];
}
