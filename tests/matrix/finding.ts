import type { LedgerAudit } from '../../local/demo/audit.ts';

/** What became of one cell. */
export interface Finding extends Pick<LedgerAudit, 'acknowledged' | 'lost' | 'duplicated' | 'reordered'> {
  readonly cell: string;
  /** `moved`, `rolled-back`, or what it must not be. */
  readonly outcome: string;
  /** Why it was not moved. */
  readonly why?: string;
  /** The moment came, and the process was struck. */
  readonly hit: boolean;
  /** Another worker has claimed the move after the strike. */
  readonly takenOver: boolean;
  /** The longest time between two commits of one writer, the comparison of both sides included. */
  readonly pauseMs: number;
  /** What was left of the move, on hosts and in the table. */
  readonly orphans: readonly string[];
  /** Everything else that is wrong, a sentence each. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Struck, come to an end, and nothing wrong anywhere. A cell whose moment never came has proved nothing. */
export function isSound(finding: Finding): boolean {
  const { outcome, hit, acknowledged, lost, duplicated, reordered, orphans, faults } = finding;
  return (
    hit &&
    (outcome === 'moved' || outcome === 'rolled-back') &&
    acknowledged > 0 &&
    lost + duplicated + reordered + orphans.length + faults.length === 0
  );
}

/** One line: cell, outcome, writes, seconds, verdict; what is wrong below it. */
export function lineOf(finding: Finding, width: number): string {
  const { cell, outcome, why, hit, takenOver, acknowledged, lost, duplicated, reordered, seconds, pauseMs } =
    finding;
  const strike = hit ? (takenOver ? 'taken over' : 'struck') : 'NOT STRUCK';
  const columns = [
    cell.padEnd(width),
    outcome.padEnd(11),
    strike.padEnd(10),
    `${String(acknowledged)} writes, ${String(lost)} lost, ${String(duplicated)} doubled, ${String(reordered)} reordered`.padEnd(
      48,
    ),
    `paused ${(pauseMs / 1_000).toFixed(1)} s`.padStart(13),
    `${seconds.toFixed(1)} s`.padStart(7),
    isSound(finding) ? 'sound' : 'UNSOUND',
  ];
  const below = [
    ...(why === undefined ? [] : [why]),
    ...finding.orphans.map((name) => `left behind: ${name}`),
    ...finding.faults,
  ];
  return [columns.join('  '), ...below.map((line) => `    ${line}`)].join('\n');
}

/** The last line, for programs. */
export function summaryOf(findings: readonly Finding[], seconds: number): Readonly<Record<string, unknown>> {
  const sum = (count: (finding: Finding) => number): number =>
    findings.reduce((total, finding) => total + count(finding), 0);
  return {
    cells: findings.length,
    struck: sum(({ hit }) => Number(hit)),
    takenOver: sum(({ takenOver }) => Number(takenOver)),
    moved: sum(({ outcome }) => Number(outcome === 'moved')),
    rolledBack: sum(({ outcome }) => Number(outcome === 'rolled-back')),
    writes: {
      acknowledged: sum(({ acknowledged }) => acknowledged),
      lost: sum(({ lost }) => lost),
      duplicated: sum(({ duplicated }) => duplicated),
      reordered: sum(({ reordered }) => reordered),
    },
    longestPauseMs: Math.round(Math.max(0, ...findings.map(({ pauseMs }) => pauseMs))),
    orphans: sum(({ orphans }) => orphans.length),
    unsound: findings.filter((finding) => !isSound(finding)).map(({ cell }) => cell),
    seconds: Math.round(seconds),
  };
}
