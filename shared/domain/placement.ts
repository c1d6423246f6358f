import type { EndpointName, HostName, MoveId } from './ids.ts';
import { said, type Hold, type Pausable, type PauseWord } from './pause.ts';

/**
 * Who may write to an endpoint right now. This is the only arbiter of freeze, thaw and flip: hosts and moves
 * follow what stands here, never the other way round.
 */
export type Arbitration =
  | { readonly kind: 'serving' }
  /** `frozenBy`: this worker of this move may fence the source. */
  | { readonly kind: 'frozen'; readonly move: MoveId; readonly token: number }
  /** A thaw has been decided: no flip can succeed any more; the host is being opened again. */
  | { readonly kind: 'thawing'; readonly move: MoveId; readonly token: number }
  /** The endpoint is at its new host, which is still closed; the way back is still open. */
  | { readonly kind: 'flipped'; readonly move: MoveId; readonly token: number; readonly from: HostName }
  /** The point of no return: the new host is being opened. */
  | { readonly kind: 'opening'; readonly move: MoveId; readonly token: number; readonly from: HostName };

/** Endpoints that are to be kept apart, so that what befalls one place does not befall all of them. */
export interface Group {
  readonly name: string;
  /** No two of them on one host, or not even in one zone: so it is when any of the group says zones. */
  readonly spread: 'hosts' | 'zones';
}

/** What people say of an endpoint, and may change at any time. */
export interface Wishes {
  readonly labels: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly group?: Group;
  /** The zones in which it may be; undefined: in any. */
  readonly zones?: readonly string[];
  /** It does not leave this host, but when it is named itself or the host has failed. */
  readonly pin?: HostName;
}

export interface Placement extends Wishes, Pausable {
  readonly endpoint: EndpointName;
  readonly driver: string;
  readonly host: HostName;
  /** Where the data is on its host, e.g. the database's name. */
  readonly database: string;
  /** Fencing token of the endpoint: one more with every flip and un-flip. */
  readonly epoch: number;
  readonly arbitration: Arbitration;
  /**
   * The move that has the endpoint; nobody else may touch it. `token`: the newest of its workers that has given
   * a command; one that was before it gives none any more.
   */
  readonly claim?: { readonly move: MoveId; readonly firstToken: number; readonly token?: number };
  /** The move that had it last, or has it; undefined: none had it since this is noted. */
  readonly lastMove?: MoveId;
  /** Tokens are never reused for an endpoint: each claim begins a thousand thousand further on. */
  readonly claims: number;
  /** The last epoch that was told to the world. */
  readonly announcedEpoch: number;
  /** The publisher's sequence by which each wish was changed last. */
  readonly sequences?: Readonly<Partial<Record<keyof Wishes, number>>>;
  readonly registeredAt: number;
  readonly version: number;
}

export type PlacementCommand =
  | { readonly kind: 'claim'; readonly move: MoveId }
  | { readonly kind: 'release'; readonly move: MoveId }
  | { readonly kind: 'freeze'; readonly move: MoveId; readonly token: number }
  /** A later worker of the move goes on under a freeze that an earlier one made and nobody has thawed. */
  | { readonly kind: 'adopt-freeze'; readonly move: MoveId; readonly token: number }
  | { readonly kind: 'begin-thaw'; readonly move: MoveId; readonly token: number }
  | { readonly kind: 'end-thaw'; readonly move: MoveId; readonly token: number }
  | {
      readonly kind: 'flip';
      readonly move: MoveId;
      readonly token: number;
      readonly epoch: number;
      readonly target: HostName;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'un-flip'; readonly move: MoveId; readonly token: number }
  | { readonly kind: 'begin-opening'; readonly move: MoveId; readonly token: number }
  | {
      readonly kind: 'end-opening';
      readonly move: MoveId;
      readonly token: number;
      readonly target: HostName;
    }
  | { readonly kind: 'announced'; readonly epoch: number }
  /** A person holds it back, or lets it go: nothing of who may write changes. */
  | { readonly kind: PauseWord; readonly by: Hold };

export type PlacementRuling =
  | { readonly kind: 'next'; readonly placement: Placement }
  /** It already is as commanded. */
  | { readonly kind: 'already' }
  | { readonly kind: 'refused'; readonly why: string };

const tokensPerClaim = 1_000_000;

/** The how-manieth claim of its endpoint a token is of. */
export const claimOf = (token: number): number => Math.floor(token / tokensPerClaim);

/**
 * What the arbiter makes of a command. Pure; the ruling counts only once it is written on the version of the
 * row that it was made from, so of two contenders exactly one wins.
 */
export function rule(placement: Placement, command: PlacementCommand): PlacementRuling {
  const { arbitration } = placement;
  switch (command.kind) {
    case 'claim':
      if (placement.claim?.move === command.move) return { kind: 'already' };
      if (placement.claim !== undefined) return refuse(`it is being moved by ${placement.claim.move}`);
      return next(placement, {
        claim: { move: command.move, firstToken: (placement.claims + 1) * tokensPerClaim },
        claims: placement.claims + 1,
        lastMove: command.move,
      });
    case 'release': {
      if (placement.claim?.move !== command.move) return { kind: 'already' };
      if (arbitration.kind !== 'serving') return refuse(`it is ${arbitration.kind}`);
      const { claim: _, ...rest } = placement;
      return { kind: 'next', placement: rest };
    }
    case 'freeze':
      if (placement.claim?.move !== command.move) return refuse('the move does not hold the endpoint');
      // Thawed, or opened, by a later worker: one that was stopped before its freeze must not make it now.
      if (isOvertaken(placement, command)) return refuse('a newer worker has given commands');
      if (arbitration.kind === 'serving') {
        return next(placement, {
          ...under(placement, command),
          arbitration: { kind: 'frozen', move: command.move, token: command.token },
        });
      }
      return arbitration.kind === 'frozen' && isSame(arbitration, command)
        ? { kind: 'already' }
        : refuse(`it is ${arbitration.kind}`);
    case 'adopt-freeze':
      if (arbitration.kind !== 'frozen' || !follows(arbitration, command))
        return refuse(`it is ${arbitration.kind}`);
      if (isSame(arbitration, command)) return { kind: 'already' };
      return next(placement, {
        ...under(placement, command),
        arbitration: { kind: 'frozen', move: command.move, token: command.token },
      });
    case 'begin-thaw':
      if (arbitration.kind === 'serving') {
        // Noted, so that no freeze of an earlier worker can come after it.
        return placement.claim?.move !== command.move || isKnown(placement, command)
          ? { kind: 'already' }
          : next(placement, under(placement, command));
      }
      if (
        (arbitration.kind !== 'frozen' && arbitration.kind !== 'thawing') ||
        !follows(arbitration, command)
      ) {
        return refuse(`it is ${arbitration.kind}`);
      }
      if (arbitration.kind === 'thawing' && isSame(arbitration, command)) return { kind: 'already' };
      return next(placement, {
        ...under(placement, command),
        arbitration: { kind: 'thawing', move: command.move, token: command.token },
      });
    case 'end-thaw':
      if (arbitration.kind === 'serving') return { kind: 'already' };
      if (arbitration.kind !== 'thawing' || !isSame(arbitration, command))
        return refuse(`it is ${arbitration.kind}`);
      return next(placement, { arbitration: { kind: 'serving' } });
    case 'flip':
      if (arbitration.kind === 'flipped' && isSame(arbitration, command)) return { kind: 'already' };
      if (arbitration.kind !== 'frozen' || !isSame(arbitration, command))
        return refuse(`it is ${arbitration.kind}`);
      if (placement.epoch !== command.epoch) return refuse(`its epoch is ${String(placement.epoch)}`);
      return next(placement, {
        host: command.target,
        epoch: placement.epoch + 1,
        sizeBytes: command.sizeBytes,
        arbitration: { kind: 'flipped', move: command.move, token: command.token, from: placement.host },
      });
    case 'un-flip':
      if (arbitration.kind !== 'flipped' || !follows(arbitration, command))
        return refuse(`it is ${arbitration.kind}`);
      return next(placement, {
        host: arbitration.from,
        epoch: placement.epoch + 1,
        ...under(placement, command),
        arbitration: { kind: 'frozen', move: command.move, token: command.token },
      });
    case 'begin-opening':
      if (arbitration.kind === 'opening' && isSame(arbitration, command)) return { kind: 'already' };
      if (
        (arbitration.kind !== 'flipped' && arbitration.kind !== 'opening') ||
        !follows(arbitration, command)
      ) {
        return refuse(`it is ${arbitration.kind}`);
      }
      return next(placement, {
        ...under(placement, command),
        arbitration: { kind: 'opening', move: command.move, token: command.token, from: arbitration.from },
      });
    case 'end-opening':
      if (arbitration.kind === 'serving' && placement.host === command.target) return { kind: 'already' };
      if (arbitration.kind !== 'opening' || !isSame(arbitration, command))
        return refuse(`it is ${arbitration.kind}`);
      return next(placement, { arbitration: { kind: 'serving' } });
    case 'announced':
      return command.epoch > placement.announcedEpoch
        ? next(placement, { announcedEpoch: command.epoch })
        : { kind: 'already' };
    case 'pause':
    case 'resume': {
      const state = said(placement, command.kind, command.by);
      if (state === 'so-already') return { kind: 'already' };
      if (state === 'said-later') return refuse('the opposite was said later');
      const { paused: _paused, resumed: _resumed, ...rest } = placement;
      return { kind: 'next', placement: { ...rest, ...state } };
    }
    default:
      return command satisfies never;
  }
}

/** An epoch that the world has not been told of yet; only what serves is told. */
export function isUnannounced(placement: Placement): boolean {
  return placement.arbitration.kind === 'serving' && placement.announcedEpoch < placement.epoch;
}

interface Held {
  readonly move: MoveId;
  readonly token: number;
}
const isSame = (held: Held, by: Held): boolean => held.move === by.move && held.token === by.token;
/** A later worker of the same move may go on from what an earlier one left, never the reverse. */
const follows = (held: Held, by: Held): boolean => held.move === by.move && held.token <= by.token;

/** Has a worker of this token, or a newer one, given a command? */
const isKnown = ({ claim }: Placement, by: Held): boolean => (claim?.token ?? 0) >= by.token;
const isOvertaken = ({ claim }: Placement, by: Held): boolean => (claim?.token ?? 0) > by.token;
const under = ({ claim }: Placement, { token }: Held): Pick<Placement, 'claim'> =>
  claim === undefined ? {} : { claim: { ...claim, token } };

const next = (placement: Placement, change: Partial<Placement>): PlacementRuling => ({
  kind: 'next',
  placement: { ...placement, ...change },
});
const refuse = (why: string): PlacementRuling => ({ kind: 'refused', why });
