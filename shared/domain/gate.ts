import type { Batch } from './batch.ts';
import type { Failure } from './failure.ts';
import type { Host } from './host.ts';
import type { HostName } from './ids.ts';
import { leadOf } from './move-reasons.ts';
import type { Move } from './move.ts';
import type { CutoverWord, Hold, Pausable } from './pause.ts';
import type { Placement } from './placement.ts';
import type { MaintenanceWindow, WindowTimes } from './window.ts';

/** What people have said of what is about to begin, or to cut over. */
export interface GateScene {
  readonly fleet: Pausable;
  /** Absent when its row is gone or cannot be read: then nothing of it stands in the way. */
  readonly batch?: Pick<Batch, keyof Pausable | 'id' | 'policy' | 'createdAt' | BatchWords> | undefined;
  /** The source and the target, as far as they are known. */
  readonly hosts: readonly Pick<Host, keyof Pausable | 'name'>[];
  /** Absent where only the batch and the hosts are asked about. */
  readonly placement?: Pick<Placement, keyof Pausable | 'endpoint'> | undefined;
  /** How the batch's maintenance window stands, and how long (ms) what is asked about needs. */
  readonly window?: AskedWindow | undefined;
  /** What was said of the cutover of this one move. */
  readonly cutover?: CutoverWord | undefined;
}
type BatchWords = 'approved' | 'started' | 'cancelled' | 'cutover';

export interface AskedWindow {
  readonly of: MaintenanceWindow;
  readonly times: WindowTimes;
  readonly needMs: number;
}

export type Gate =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'closed';
      readonly code: GateCode;
      /** Completes "waits for …". */
      readonly on: string;
      /** Since when (epoch milliseconds) it has been closed. */
      readonly since: number;
      /** When it opens by itself, if it does. */
      readonly opensAt?: number;
      /** What opens it. */
      readonly cure: string;
    };
export type Closed = Extract<Gate, { readonly kind: 'closed' }>;

/** Waits with one of these codes end by a word of a person, or by the clock. */
export const gateCodes = [
  'cancelled',
  'unapproved',
  'not-started',
  'paused',
  'window-closed',
  'held',
] as const;
export type GateCode = (typeof gateCodes)[number];

export const isGateCode = (code: string): boolean => gateCodes.some((each) => each === code);

/** May this begin, as far as people have a say in it? */
export function mayBegin(scene: GateScene, now: number): Gate {
  return (
    cancelled(scene) ??
    unapproved(scene) ??
    notStarted(scene, now) ??
    paused(scene) ??
    outsideWindow(scene, now) ??
    open
  );
}

/** May this be frozen and cut over? What is frozen already is not asked any more: it goes through. */
export function mayCutOver(scene: GateScene, now: number): Gate {
  const gate = mayBegin(scene, now);
  return gate.kind === 'closed' ? gate : (held(scene) ?? open);
}

/**
 * What people have said of moves, as far as their batch and hosts have it.
 * @returns for a move that waits to begin, or else for its cutover
 */
export function gatesOf(
  scene: Omit<GateScene, 'hosts'>,
  hosts: ReadonlyMap<HostName, Host>,
  now: number,
): (move: Move) => Closed | undefined {
  return (move) => {
    const { source, target, cutover, execution } = move;
    // Others decide about it, and its row says for what it waits.
    if (move.joined !== undefined || (scene.batch !== undefined && leadOf(move) !== scene.batch.id))
      return undefined;
    const between = [source, target].flatMap((name) => hosts.get(name) ?? []);
    const asked = execution.status.state === 'waiting' ? mayBegin : mayCutOver;
    const gate = asked({ ...scene, hosts: between, cutover }, now);
    return gate.kind === 'closed' ? gate : undefined;
  };
}

const open: Gate = { kind: 'open' };

function cancelled({ batch }: GateScene): Closed | undefined {
  if (batch?.cancelled === undefined) return undefined;
  return {
    kind: 'closed',
    code: 'cancelled',
    on: `its way back: batch ${batch.id} was cancelled ${tell(batch.cancelled)}`,
    since: batch.cancelled.at,
    cure: `nothing to do; ask for it again if it is wanted after all`,
  };
}

function unapproved({ batch }: GateScene): Closed | undefined {
  if (batch?.policy.approval !== 'required' || batch.approved !== undefined) return undefined;
  return {
    kind: 'closed',
    code: 'unapproved',
    on: `the approval of batch ${batch.id} by somebody other than its author`,
    since: batch.createdAt,
    cure: `dray batch approve ${batch.id} --reason …`,
  };
}

function notStarted({ batch }: GateScene, now: number): Closed | undefined {
  if (batch === undefined || batch.started !== undefined) return undefined;
  const { start, startAt } = batch.policy;
  const cure = `dray batch start ${batch.id} --reason …`;
  if (startAt !== undefined && now < startAt) {
    const on = `the start of batch ${batch.id} at ${new Date(startAt).toISOString()}`;
    return { kind: 'closed', code: 'not-started', on, since: batch.createdAt, opensAt: startAt, cure };
  }
  if (start !== 'manual') return undefined;
  const on = `the start of batch ${batch.id} by hand`;
  return { kind: 'closed', code: 'not-started', on, since: batch.createdAt, cure };
}

function paused({ fleet, batch, hosts, placement }: GateScene): Closed | undefined {
  const things: readonly (readonly [Pausable | undefined, string, string])[] = [
    [fleet, 'everything', 'dray resume --all'],
    [batch, `batch ${batch?.id ?? ''}`, `dray batch resume ${batch?.id ?? ''}`],
    ...hosts.map((host) => [host, `host ${host.name}`, `dray host resume ${host.name}`] as const),
    [placement, `endpoint ${placement?.endpoint ?? ''}`, `dray endpoint resume ${placement?.endpoint ?? ''}`],
  ];
  for (const [thing, name, command] of things) {
    if (thing?.paused === undefined) continue;
    const on = `the end of the pause of ${name}, paused ${tell(thing.paused)}`;
    return { kind: 'closed', code: 'paused', on, since: thing.paused.at, cure: `${command} --reason …` };
  }
  return undefined;
}

function outsideWindow({ batch, window }: GateScene, now: number): Closed | undefined {
  if (window === undefined) return undefined;
  const { needMs } = window;
  const { closesAt, opensAt } = window.times;
  if (closesAt !== undefined && closesAt - now >= needMs) return undefined;
  const next =
    opensAt === undefined
      ? 'a maintenance window that does not open again'
      : `the maintenance window at ${new Date(opensAt).toISOString()}`;
  const why =
    closesAt === undefined
      ? ''
      : `: it needs about ${minutes(needMs)}, and this one closes at ${new Date(closesAt).toISOString()}`;
  return {
    kind: 'closed',
    code: 'window-closed',
    on: `${next}${why}`,
    since: batch?.createdAt ?? now,
    ...(opensAt === undefined ? {} : { opensAt }),
    cure: 'nothing to do; what cannot wait is cancelled and asked for without a window',
  };
}

/** Why a move that needs longer than any of its windows lasts never will be done in one. */
export function tooLongFor({ window }: Pick<GateScene, 'window'>): Failure | undefined {
  if (window === undefined || window.needMs <= window.of.durationMs) return undefined;
  return {
    code: 'window-too-short',
    sentence: `it needs about ${minutes(window.needMs)}, and its maintenance window lasts ${minutes(window.of.durationMs)}`,
    cure: 'ask for it with a longer window, or without one',
  };
}

const minutes = (ms: number): string => `${String(Math.ceil(ms / 60_000))} min`;

function held({ batch, cutover }: GateScene): Closed | undefined {
  const words: readonly CutoverWord[] = [
    ...(batch?.policy.holdBeforeCutover === true
      ? [{ kind: 'held' as const, by: 'its policy', at: batch.createdAt, reason: 'holdBeforeCutover' }]
      : []),
    ...(batch?.cutover === undefined ? [] : [batch.cutover]),
    ...(cutover === undefined ? [] : [cutover]),
  ];
  const [latest] = words.toSorted((one, other) => other.at - one.at || rank(other) - rank(one));
  if (latest?.kind !== 'held') return undefined;
  return {
    kind: 'closed',
    code: 'held',
    on: `the release of its cutover, held ${tell(latest)}`,
    since: latest.at,
    cure: 'dray move release <id> --reason …, or dray batch release for all of its batch',
  };
}

/** A release of the very moment of a hold lets go: it can only have been an answer to it. */
const rank = ({ kind }: CutoverWord): number => (kind === 'released' ? 1 : 0);

const tell = ({ by, at, reason }: Hold): string => `by ${by} at ${new Date(at).toISOString()} (${reason})`;
