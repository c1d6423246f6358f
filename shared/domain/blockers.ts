import type { Failure } from './failure.ts';
import { failures } from './health.ts';
import { isGateCode, type Closed } from './gate.ts';
import { permitsOf, type Host } from './host.ts';
import type { HostName } from './ids.ts';
import type { LimitOf } from './limit-waits.ts';
import type { Move } from './move.ts';

/** Something that keeps moves from going on, or has ended them. */
export interface Blocker {
  /**
   * `waiting`: nothing is wrong; `failing`: something is, and it is tried again; `ended`: these moves are over;
   * `quarantined`: they are over, and would fail in the same way again.
   */
  readonly kind: 'waiting' | 'failing' | 'ended' | 'quarantined';
  /** Stable, for programs. */
  readonly code: string;
  /** For `waiting` it completes "waits for …"; else it is a sentence that says what is wrong. */
  readonly on: string;
  /** How many moves it keeps. */
  readonly moves: number;
  /** Since when (epoch milliseconds) it has kept the first of them, where that is known. */
  readonly since?: number;
  readonly cure?: string;
  /** A few of the ids that it is about. */
  readonly examples: readonly string[];
}

interface Hindrance {
  readonly kind: Blocker['kind'];
  readonly code: string;
  readonly on: string;
  readonly since?: number;
  readonly cure?: string;
}

const fewExamples = 3;

/** What is in the way of these moves, that of the most moves first. Moves that simply work are in nobody's way. */
export function blockersOf(
  moves: readonly Move[],
  hosts: ReadonlyMap<HostName, Host>,
  gateOf: (move: Move) => Closed | undefined = () => undefined,
  limitOf: LimitOf = () => undefined,
): Blocker[] {
  const found = new Map<string, Blocker>();
  for (const move of moves) {
    const hindrance = hindranceOf(move, hosts, gateOf(move), limitOf);
    if (hindrance === undefined) continue;
    const key = `${hindrance.code} ${hindrance.on}`;
    const known = found.get(key);
    found.set(
      key,
      known === undefined
        ? { ...hindrance, moves: 1, examples: [move.id] }
        : withAnother(known, hindrance, move),
    );
  }
  return [...found.values()].sort((one, other) => other.moves - one.moves || (one.on < other.on ? -1 : 1));
}

function withAnother(known: Blocker, { since }: Hindrance, { id }: Move): Blocker {
  const first =
    since !== undefined && (known.since === undefined || since < known.since) ? since : known.since;
  return {
    ...known,
    moves: known.moves + 1,
    ...(first === undefined ? {} : { since: first }),
    examples: known.examples.length < fewExamples ? [...known.examples, id] : known.examples,
  };
}

function hindranceOf(
  move: Move,
  hosts: ReadonlyMap<HostName, Host>,
  gate: Closed | undefined,
  limitOf: LimitOf,
): Hindrance | undefined {
  const { status } = move.execution;
  switch (status.state) {
    case 'waiting':
      if (gate !== undefined && status.carried === undefined) return atGate(gate);
      return status.waiting.code === 'permit'
        ? { ...permitOf(move, hosts, limitOf), since: status.waiting.since }
        : { kind: 'waiting', code: status.waiting.code, on: status.waiting.on, since: status.waiting.since };
    case 'running':
    case 'rolling-back':
      if (status.waiting !== undefined && isGateCode(status.waiting.code)) {
        const { code, on, since } = status.waiting;
        return gate === undefined ? { kind: 'waiting', code, on, since } : atGate(gate);
      }
      if (status.lastFailure === undefined) return undefined;
      if (status.hinderedSince !== undefined)
        return { ...failure('failing', status.lastFailure), since: status.hinderedSince };
      return status.failures > 0 || status.waiting?.code === status.lastFailure.code
        ? failure('failing', status.lastFailure)
        : undefined;
    case 'rolled-back':
    case 'stuck':
      return {
        ...failure(status.reason.quarantined === true ? 'quarantined' : 'ended', status.reason),
        since: status.endedAt,
      };
    case 'completed':
      return undefined;
    default:
      return status satisfies never;
  }
}

const atGate = ({ code, on, since, cure }: Closed): Hindrance => ({ kind: 'waiting', code, on, since, cure });

const failure = (kind: Blocker['kind'], { code, sentence, cure }: Failure): Hindrance => ({
  kind,
  code,
  on: sentence,
  cure,
});

/** Which of the two hosts has none left (both may), else which limit is reached; neither, when the dispatcher is about to look again. */
function permitOf(move: Move, hosts: ReadonlyMap<HostName, Host>, limitOf: LimitOf): Hindrance {
  const { source, target } = move;
  const leaving = hosts.get(source);
  const entering = hosts.get(target);
  const failed = entering === undefined ? [] : failures(entering);
  if (failed.length > 0) {
    return {
      kind: 'waiting',
      code: 'target-failed',
      on: `${target} to be well again (${failed.join(', ')}), or for another target once its grace period is over`,
      cure: `see what is wrong there: dray explain ${target}`,
    };
  }
  const full = [
    ...(leaving !== undefined && leaving.permitsOut.length >= permitsOf(leaving, 'out')
      ? [`out of ${source}`]
      : []),
    ...(entering !== undefined && entering.permitsIn.length >= permitsOf(entering, 'in')
      ? [`into ${target}`]
      : []),
  ];
  const [first] = full;
  if (first === undefined) {
    const limit = limitOf(move);
    if (limit !== undefined) return { kind: 'waiting', ...limit };
    const isFree = leaving !== undefined && entering !== undefined;
    const on = isFree ? 'permits that are about to be given out' : `permits on ${source} and ${target}`;
    return { kind: 'waiting', code: 'permit', on };
  }
  return {
    kind: 'waiting',
    code: 'permit',
    on: `a permit ${full.join(' and ')}`,
    cure: `moves under way give theirs back: dray explain ${first.startsWith('out') ? source : target}`,
  };
}
