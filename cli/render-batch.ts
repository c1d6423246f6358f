import { blockersOf, type Blocker } from '../shared/domain/blockers.ts';
import { labelOf, moveLabels, type Move, type MoveLabel } from '../shared/domain/move.ts';
import { gatesIn, type BatchSnapshot } from '../shared/workflow/explain/batch-snapshot.ts';
import { etaOfBatch } from '../shared/workflow/explain/eta-of-batch.ts';
import { etaText } from './batch-eta.ts';
import { hasAllMoved, reportOf } from './batch-report.ts';
import { doing, looks, moveLine, noteOf, stepNumber, widthsFor } from './move-line.ts';
import { count, showBytes, showDuration, showElapsed } from './quantity.ts';
import { cut, styled, type Text } from './text.ts';
import type { Terminal } from './terminal.ts';

/**
 * Shows a batch as it goes: bars that are drawn in place where somebody watches, else a line for each change of
 * state. Ends with its snapshots.
 *
 * @returns the last snapshot; undefined if there was none
 */
export async function renderBatch(
  snapshots: AsyncIterable<BatchSnapshot>,
  terminal: Terminal,
): Promise<BatchSnapshot | undefined> {
  return terminal.isLive ? drawLive(snapshots, terminal) : tellChanges(snapshots, terminal);
}

async function drawLive(
  snapshots: AsyncIterable<BatchSnapshot>,
  terminal: Terminal,
): Promise<BatchSnapshot | undefined> {
  const block = terminal.live();
  let last: BatchSnapshot | undefined;
  try {
    for await (const snapshot of snapshots) {
      last = snapshot;
      block.show(frameOf(snapshot, terminal));
    }
  } finally {
    block.done();
  }
  return last;
}

/** Lines around the moves: title, what is hidden, blockers, totals, and one that stays free. */
const title = 1;
const mostBlockers = 3;

/** The picture of a batch, never higher nor wider than the terminal. */
export function frameOf(
  snapshot: BatchSnapshot,
  { columns, rows }: Pick<Terminal, 'columns' | 'rows'>,
): Text[] {
  const { batch, moves, hosts = new Map() } = snapshot;
  const blockers = rows < 8 ? [] : blockersOf(moves, hosts, gatesIn(snapshot)).slice(0, mostBlockers);
  const room = Math.max(1, rows - title - blockers.length - 3);
  const shown = moves.length <= room ? moves : mostTelling(moves, Math.max(0, room - 1));
  const widths = widthsFor(shown, columns);
  const hidden = moves.length - shown.length;
  const lines: Text[] = [
    [styled('strong', `batch ${batch.id}`), `  ${batch.reason}`],
    ...shown.map((move) => moveLine(move, columns - 1, widths)),
    ...(hidden > 0 ? [styled('faint', `… and ${tallyText(without(moves, shown))}`)] : []),
    ...blockers.map(blockerLine),
    totalsLine(snapshot),
  ];
  return lines.slice(-Math.max(1, rows - 1)).map((line) => cut(line, columns - 1));
}

/** What people want to see first when not all can be seen. */
const telling: readonly MoveLabel[] = [
  'cutting-over',
  'rolling-back',
  'transferring',
  'stuck',
  'rolled-back',
  'waiting',
  'moved',
  'retired',
];

function mostTelling(moves: readonly Move[], room: number): readonly Move[] {
  const rank = (move: Move): number => telling.indexOf(labelOf(move.execution));
  const chosen = new Set(moves.toSorted((one, other) => rank(one) - rank(other)).slice(0, room));
  return moves.filter((move) => chosen.has(move));
}

function without(moves: readonly Move[], shown: readonly Move[]): Move[] {
  const seen = new Set(shown);
  return moves.filter((move) => !seen.has(move));
}

/** `41 waiting, 12 moved`. */
function tallyText(moves: readonly Move[]): string {
  const labels = moves.map(({ execution }) => labelOf(execution));
  return moveLabels
    .flatMap((label) => {
      const figure = labels.filter((each) => each === label).length;
      return figure === 0 ? [] : [`${String(figure)} ${label}`];
    })
    .join(', ');
}

/** `41 wait for a permit out of h7`. */
export function blockerLine({ kind, on, code, moves }: Blocker): Text {
  switch (kind) {
    case 'waiting':
      return [styled('attention', '  … '), `${String(moves)} ${moves === 1 ? 'waits' : 'wait'} for ${on}`];
    case 'failing':
      return [styled('attention', '  ! '), `${String(moves)} held up: ${on} (${code})`];
    case 'ended':
      return [styled('bad', '  ✗ '), `${String(moves)} not moved: ${on} (${code})`];
    case 'quarantined':
      return [styled('bad', '  ✗ '), `${String(moves)} quarantined: ${on} (${code})`];
    default:
      return kind satisfies never;
  }
}

function totalsLine(snapshot: BatchSnapshot): Text {
  const { at, batch, moves } = snapshot;
  const { moves: figures, bytes } = reportOf(snapshot);
  const labels = moves.map(({ execution }) => labelOf(execution));
  const underWay = labels.filter((label) =>
    ['transferring', 'cutting-over', 'rolling-back'].includes(label),
  ).length;
  const waiting = labels.filter((label) => label === 'waiting').length;
  const unplanned = figures.total - moves.length;
  const eta = etaOfBatch(snapshot);
  return [
    styled('strong', `${String(figures.moved)} of ${String(figures.total)} moved`),
    underWay === 0 ? '' : ` · ${String(underWay)} under way`,
    waiting === 0 ? '' : ` · ${String(waiting)} waiting`,
    unplanned <= 0 ? '' : ` · ${String(unplanned)} being planned`,
    figures.rolledBack === 0 ? '' : [' · ', styled('bad', `${String(figures.rolledBack)} rolled back`)],
    figures.stuck === 0 ? '' : [' · ', styled('bad', `${String(figures.stuck)} stuck`)],
    ` · ${showBytes(bytes)} · ${showElapsed((batch.endedAt ?? at) - batch.createdAt)}`,
    eta === undefined ? '' : styled('faint', ` · ${etaText(eta)}`),
  ];
}

/** With more moves than this, a line for each step would bury what matters. */
const fewMoves = 20;
/** When nothing has changed for so long, in milliseconds, the totals say that it is still going on. */
const silenceMs = 30_000;

async function tellChanges(
  snapshots: AsyncIterable<BatchSnapshot>,
  terminal: Terminal,
): Promise<BatchSnapshot | undefined> {
  const told = new Map<string, string>();
  let last: BatchSnapshot | undefined;
  let spokeAt = 0;
  for await (const snapshot of snapshots) {
    const { at, batch, moves } = snapshot;
    if (last === undefined) {
      terminal.line(`${timeOf(at)} batch ${batch.id}: ${batch.reason}`);
      spokeAt = at;
    }
    for (const move of moves) {
      const key = stateKey(move, moves.length);
      if (told.get(move.id) === key) continue;
      told.set(move.id, key);
      terminal.line(changeLine(at, move));
      spokeAt = at;
    }
    if (at - spokeAt >= silenceMs) {
      terminal.line([`${timeOf(at)} `, totalsLine(snapshot)]);
      const hosts = snapshot.hosts ?? new Map();
      const [worst] = blockersOf(moves, hosts, gatesIn(snapshot));
      if (worst !== undefined) terminal.line([timeOf(at), blockerLine(worst)]);
      spokeAt = at;
    }
    last = snapshot;
  }
  return last;
}

/** What is worth a line when it changes. */
function stateKey(move: Move, among: number): string {
  const { status } = move.execution;
  const trouble = 'hinderedSince' in status ? status.lastFailure?.code : '';
  return `${labelOf(move.execution)} ${among <= fewMoves ? doing(move) : ''} ${trouble ?? ''}`;
}

function changeLine(at: number, move: Move): Text {
  const label = labelOf(move.execution);
  const word = doing(move);
  const note = noteOf(move);
  return [
    `${timeOf(at)} ${move.endpoint}  ${move.source} → ${move.target}  ${stepNumber(move)}  `,
    styled(looks[label].style, word === label ? label : `${label}: ${word}`),
    note === '' ? '' : `  ${note}`,
  ];
}

/** Wall-clock time in UTC. @param at epoch milliseconds */
export const timeOf = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`;

const mostFailures = 20;

/** How it ended, or how far it is: the result in a few lines. */
export function summaryOf(snapshot: BatchSnapshot): Text[] {
  const { batch, moves } = snapshot;
  const { moves: figures, bytes, seconds, pauseMs } = reportOf(snapshot);
  const good = hasAllMoved(snapshot);
  const ended = batch.state === 'completed';
  const failed = moves.filter(({ execution }) => {
    const label = labelOf(execution);
    return label === 'rolled-back' || label === 'stuck';
  });
  return [
    ...failed
      .slice(0, mostFailures)
      .map((move): Text => [
        styled('bad', `✗ ${move.endpoint} ${labelOf(move.execution)}`),
        `: ${noteOf(move)}; dray explain ${move.id}`,
      ]),
    ...(failed.length > mostFailures
      ? [`✗ and ${String(failed.length - mostFailures)} more; dray batch show ${batch.id}`]
      : []),
    ...(batch.unknown === undefined
      ? []
      : [
          `✗ ${count(batch.unknown.count, 'endpoint')} not registered, or not readable: ${batch.unknown.examples.join(', ')}`,
        ]),
    ...(batch.skipped === undefined
      ? []
      : [
          `✗ ${count(batch.skipped.lines, 'line')} of its manifest left out: dray manifest report ${batch.id}`,
        ]),
    [
      styled(good ? 'good' : ended ? 'bad' : 'attention', good ? '✓' : ended ? '✗' : '…'),
      ` batch ${batch.id} ${batch.state}: ${String(figures.moved)} of ${String(figures.total)} moved`,
      `, ${showBytes(bytes)} in ${showDuration(seconds * 1_000)}`,
      pauseMs.max === null
        ? ''
        : `; writers paused p50 ${showDuration(pauseMs.p50 ?? 0)}, p99 ${showDuration(pauseMs.p99 ?? 0)}, at most ${showDuration(pauseMs.max)}`,
    ],
  ];
}
