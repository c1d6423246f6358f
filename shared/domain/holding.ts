import { explainState } from './explain.ts';
import { failedSince } from './health.ts';
import type { Host } from './host.ts';
import type { EndpointName } from './ids.ts';
import type { Move } from './move.ts';
import type { Placement } from './placement.ts';

/** What becomes of an endpoint that is on a failed host, and what is needed for it to get away. */
export interface Holding {
  readonly endpoint: EndpointName;
  readonly bytes: number;
  /**
   * - `leaving`: a move has it, or waits for its turn
   * - `unreadable`: the host did not answer when it was to be read
   * - `kept`: its move ended without moving it
   * - `unmoved`: nobody moves it
   */
  readonly state: 'leaving' | 'unreadable' | 'kept' | 'unmoved';
  readonly sentence: string;
  /** What a person can do about it; none: it goes on by itself. */
  readonly needs: readonly string[];
}

/** Codes by which a driver says that a host cannot be read at all. */
const unreadable: readonly string[] = ['host-unreachable', 'host-timeout', 'connection-lost'];

/**
 * @param move the one that has the endpoint, or else the last one that had it
 * @param next what healing will do, in a few words, with an endpoint that nobody moves
 */
export function holdingOf(host: Host, placement: Placement, move: Move | undefined, next: string): Holding {
  const { endpoint, sizeBytes: bytes, claim } = placement;
  const of = { endpoint, bytes };
  const failure = move === undefined ? undefined : failureOf(move);
  if (
    move !== undefined &&
    failure !== undefined &&
    unreadable.includes(failure.code) &&
    isAbout(failure, host)
  ) {
    const goesOn = claim?.move === move.id ? 'it is tried again until patience ends' : 'its move has ended';
    return {
      ...of,
      state: 'unreadable',
      sentence: `${failure.sentence}; ${goesOn}`,
      needs: needsOf(host, placement),
    };
  }
  if (move !== undefined && claim?.move === move.id)
    return {
      ...of,
      state: 'leaving',
      sentence: `${move.id} to ${move.target}: ${explainState(move.execution)}`,
      needs: [],
    };
  const began = failedSince(host) ?? Infinity;
  if (move !== undefined && failure !== undefined && move.createdAt >= began) {
    return {
      ...of,
      state: 'kept',
      sentence: `${move.id} did not move it: ${failure.sentence} (${failure.code})`,
      needs: [failure.cure, `dray move ${endpoint}`],
    };
  }
  return { ...of, state: 'unmoved', sentence: next, needs: [`dray move ${endpoint}`] };
}

/** What of a host that cannot be read is needed, for one endpoint. Nothing is conjured that only the host had. */
function needsOf({ name }: Host, { endpoint, database }: Placement): string[] {
  return [
    `bring ${name} back, so that it can be read; then dray move ${endpoint}`,
    `or, if it is lost: restore database ${database} from a backup or promote a replica of it on another host, and register that under a new name: dray endpoint add <name> --host … --database …`,
  ];
}

interface Failed {
  readonly code: string;
  readonly sentence: string;
  readonly cure: string;
  readonly host?: string;
}

/** Why it does not get on, or has ended without arriving. */
function failureOf({ execution: { status } }: Move): Failed | undefined {
  switch (status.state) {
    case 'running':
    case 'rolling-back':
      return status.hinderedSince === undefined ? undefined : status.lastFailure;
    case 'rolled-back':
    case 'stuck':
      return status.reason;
    case 'waiting':
    case 'completed':
      return undefined;
    default:
      return status satisfies never;
  }
}

/** One that does not say which host it is about may be about this one. */
const isAbout = ({ host, sentence }: Failed, { name, replicationAddress, clientAddress }: Host): boolean =>
  host === undefined
    ? [name, replicationAddress, clientAddress].some((each) => sentence.includes(each))
    : host === name;
