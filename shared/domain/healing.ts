import type { Knobs } from './fleet.ts';
import { failedSince } from './health.ts';
import type { Host } from './host.ts';
import type { BatchId, HostName } from './ids.ts';
import type { Move } from './move.ts';
import type { MovePolicy } from './policy.ts';

/** What has come to a host that has failed is few and comes to an end: beyond this a person looks at it. */
export const mostHealings = 8;

export type HealingStage =
  /** The host is well, or is of no concern any more. */
  | { readonly kind: 'none' }
  /** It may recover by itself: nothing is done until `until`. */
  | { readonly kind: 'grace'; readonly until: number }
  /** It has failed for good as far as we know: nothing goes there, and what leaves it goes first. */
  | {
      readonly kind: 'failed';
      readonly since: number;
      /** Is what is there moved away without anybody asking? */
      readonly heals: boolean;
    };

/** How far a host's failure has come. */
export function stageOf(
  host: Host,
  { healing, graceMs }: Pick<Knobs, 'healing' | 'graceMs'>,
  now: number,
): HealingStage {
  const since = failedSince(host);
  if (since === undefined || host.intent.value === 'retired') return { kind: 'none' };
  const until = since + graceMs;
  return now < until ? { kind: 'grace', until } : { kind: 'failed', since, heals: healing === 'on' };
}

/** The batches that have been opened about this very failure. */
export function batchesOf({ healing }: Pick<Host, 'healing'>, since: number): readonly BatchId[] {
  return healing !== undefined && since <= healing.at ? healing.batches : [];
}

/**
 * Healing does not move what it has moved, or has tried to, for the same failure; nor what would fail in the same
 * way again.
 * @param last the last move of the endpoint
 */
export function isLeftAlone(last: Move | undefined, tried: readonly BatchId[]): boolean {
  if (last === undefined) return false;
  const { status } = last.execution;
  return tried.includes(last.batch) || ('reason' in status && status.reason.quarantined === true);
}

/**
 * Since when (epoch milliseconds) the sweep is to look after a host: for as long as it has failed, since nobody else
 * would, and before whatever else is due, however much that is.
 */
export const healingDueAt = (host: Pick<Host, 'signals' | 'intent'>): number | undefined =>
  host.intent.value === 'retired' || failedSince(host) === undefined ? undefined : 0;

const day = 86_400_000;

/**
 * Writers may wait longer than usual to get away; all else as if a person had asked for it and said nothing more.
 * @param retentionMs how long the copies are kept on the failed host
 */
export const healingPolicy = (retentionMs = day): MovePolicy => ({
  roles: 'require',
  pauseBudgetMs: 10_000,
  lagLimitBytes: 1_048_576,
  retentionMs,
  offline: 'refuse',
});

/** What is done about a failed host, for people. @returns undefined for one that is well, or of no concern */
export function healingText(stage: HealingStage, { healing }: Pick<Host, 'healing'>): string | undefined {
  switch (stage.kind) {
    case 'none':
      return undefined;
    case 'grace':
      return `healing begins at ${new Date(stage.until).toISOString().slice(11, 19)} UTC unless it recovers`;
    case 'failed': {
      const batches = batchesOf({ ...(healing === undefined ? {} : { healing }) }, stage.since);
      if (batches.length > 0) return `${batches.join(', ')} ${batches.length === 1 ? 'empties' : 'empty'} it`;
      return stage.heals ? 'healing takes it up within a minute' : 'healing is off';
    }
    default:
      return stage satisfies never;
  }
}

/** Names a batch of healing, the same for whoever opens it. There are spaces in it: no publisher has such a source. */
export const healer = 'healing of hosts';
export const healingId = (host: HostName, since: number, nth: number): string =>
  `${host} ${String(since)} ${String(nth)}`;
