import type { Failure } from './failure.ts';
import type { BatchId, EndpointName, HostName } from './ids.ts';
import type { MoveLabel } from './move.ts';
import type { CutoverWord, Hold, Pausable } from './pause.ts';
import type { BatchPolicy } from './policy.ts';
import type { Traced } from './trace.ts';

/** An endpoint and where it goes: to this host, or to one that the planner chooses. */
export interface Pair {
  readonly endpoint: EndpointName;
  readonly target?: HostName;
}

/** What a request asks to be moved. */
export type Selection =
  /** These endpoints, all to one named host, or each to one that the planner chooses. */
  | { readonly kind: 'endpoints'; readonly endpoints: readonly EndpointName[]; readonly target?: HostName }
  /** These endpoints, each to a host of its own. No endpoint is there twice. */
  | { readonly kind: 'pairs'; readonly pairs: readonly Pair[] }
  /** Everything that is on a host. */
  | { readonly kind: 'host'; readonly host: HostName; readonly target?: HostName }
  /** Everything whose labels have these values. */
  | {
      readonly kind: 'labels';
      readonly labels: Readonly<Record<string, string>>;
      readonly target?: HostName;
    }
  /** Everything of which all of this is true. */
  | { readonly kind: 'where'; readonly where: Where; readonly target?: HostName }
  /** Whatever makes the fleet even. */
  | { readonly kind: 'rebalance' }
  /** As much as brings a host under a share of its capacity, from 0 to 1. */
  | { readonly kind: 'relieve'; readonly host: HostName; readonly under: number };

/** What an endpoint has to be for a request to mean it; never empty. */
export interface Where {
  readonly labels?: Readonly<Record<string, string>>;
  /** The value of its label `tenant`. */
  readonly tenant?: string;
  /** Bytes, both inclusive. */
  readonly size?: { readonly atLeast?: number; readonly atMost?: number };
  /** Where it is. */
  readonly host?: HostName;
}

/** A body in object storage, by its content. */
export interface ClaimCheck {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

export type BatchState = 'planning' | 'running' | 'completed';

export interface Batch extends Pausable, Traced {
  readonly id: BatchId;
  readonly requestSource: string;
  readonly requestId: string;
  readonly reason: string;
  /** The selection, as the planner reads it page by page. */
  readonly selection: ClaimCheck;
  readonly priority: number;
  readonly policy: BatchPolicy;
  readonly state: BatchState;
  /** How many endpoints of the selection have a move; planning goes on from here. */
  readonly planned: number;
  /** How many there are in all; undefined until the selection is resolved. */
  readonly total?: number;
  /** The resolved list of endpoints, once planning has begun. */
  readonly resolved?: ClaimCheck;
  /** What becomes of each of them: the plan, which is made once. */
  readonly plan?: ClaimCheck;
  /** What was asked for and the plan does not reach, and why. */
  readonly unmet?: Failure;
  /** Endpoints that were asked for and do not exist: how many, and the first few. */
  readonly unknown?: { readonly count: number; readonly examples: readonly EndpointName[] };
  /** Lines of its manifest that were wrong and left out: how many, and what is wrong with each. */
  readonly skipped?: { readonly lines: number; readonly report: ClaimCheck };
  /** For display; exact once the batch is completed. */
  readonly counts: Readonly<Partial<Record<MoveLabel, number>>>;
  /** Why none of its endpoints could be planned. */
  readonly failure?: Failure;
  /** When (epoch milliseconds) people want all of it to have arrived. It goes on afterwards, and says that it is late. */
  readonly deadline?: number;
  /** Somebody other than its author has approved of it. */
  readonly approved?: Hold;
  /** Somebody has started it, whatever its policy waits for. */
  readonly started?: Hold;
  /** Its cutovers are held, or released. */
  readonly cutover?: CutoverWord;
  /** It is not wanted any more: what can still go back goes back. */
  readonly cancelled?: Hold;
  /** How many endpoints of a cancelled batch this look after it has been through; absent: none, or all. */
  readonly undone?: number;
  /** How often it was opened again after its end, because something of it that was stuck goes on. */
  readonly reopened?: number;
  readonly createdAt: number;
  readonly endedAt?: number;
  readonly version: number;
}

/** Under which id the end of a batch is told: a batch that was opened again ends again. */
export const endingId = ({ id, reopened = 0 }: Pick<Batch, 'id' | 'reopened'>): string =>
  reopened === 0 ? `${id}:completed` : `${id}:completed:${String(reopened + 1)}`;

/** The place of the first pair whose endpoint an earlier one has named already. */
export function firstTwice(pairs: readonly Pair[]): number | undefined {
  const named = new Set<EndpointName>();
  const at = pairs.findIndex(({ endpoint }) => named.size === named.add(endpoint).size);
  return at < 0 ? undefined : at;
}
