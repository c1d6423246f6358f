import * as z from 'zod';
import { labelOf, type Move, type MoveLabel } from '../shared/domain/move.ts';
import { moveEndpointShape, stepIndex } from '../shared/domain/workflow-shape.ts';
import { isArrived, pauseOf, sizeOf } from '../shared/workflow/explain/batch-snapshot.ts';
import { showDuration } from './quantity.ts';
import { cut, fit, styled, widthOf, type Style, type Text } from './text.ts';

/** How each state looks: a mark, and a colour that says no more than the mark. */
export const looks: Readonly<Record<MoveLabel, { readonly mark: string; readonly style: Style }>> = {
  waiting: { mark: '·', style: 'faint' },
  transferring: { mark: '▸', style: 'strong' },
  'cutting-over': { mark: '»', style: 'attention' },
  moved: { mark: '✓', style: 'good' },
  retired: { mark: '✓', style: 'good' },
  'rolling-back': { mark: '↶', style: 'attention' },
  'rolled-back': { mark: '✗', style: 'bad' },
  stuck: { mark: '!', style: 'bad' },
};

const { steps } = moveEndpointShape;

/** Roughly which share of a move's time each step takes; together 100. */
const weights: Readonly<Record<(typeof steps)[number]['name'], number>> = {
  preflight: 3,
  reserve: 1,
  provision: 8,
  copy: 58,
  'catch-up': 10,
  verify: 12,
  freeze: 2,
  settle: 2,
  confirm: 1,
  cutover: 1,
  activate: 2,
  retire: 0,
};

/** `4/12`: the step that it is in. */
export function stepNumber(move: Move): string {
  const { status } = move.execution;
  const all = `/${String(steps.length)}`;
  if (status.state === 'completed') return `${String(steps.length)}${all}`;
  return 'step' in status ? `${String(stepIndex(moveEndpointShape, status.step) + 1)}${all}` : `0${all}`;
}

/** What it does, in a word or three. */
export function doing(move: Move): string {
  const label = labelOf(move.execution);
  const { status } = move.execution;
  if (isArrived(label) || !('step' in status)) return label;
  if (status.state === 'running') return status.step;
  return status.state === 'stuck' ? `stuck in ${status.step}` : `undo ${status.step}`;
}

/** How far it has come, from 0 to 1. Going back it shrinks. */
export function shareDone(move: Move): number {
  const { status } = move.execution;
  if (isArrived(labelOf(move.execution))) return 1;
  if (!('step' in status)) return 0;
  const at = stepIndex(moveEndpointShape, status.step);
  const before = steps.slice(0, Math.max(0, at)).reduce((sum, { name }) => sum + weights[name], 0);
  const inStep = status.state === 'running' && status.step === 'copy' ? weights.copy * shareCopied(move) : 0;
  return (before + inStep) / 100;
}

/** As drivers report it; one that does not say is at its beginning. */
const copyProgress = z.object({
  value: z.object({
    bytes: z.number().optional(),
    copiedBytes: z.number().optional(),
    totalBytes: z.number().optional(),
  }),
});

function shareCopied(move: Move): number {
  const { status } = move.execution;
  const parsed = copyProgress.safeParse('progress' in status ? status.progress : undefined);
  if (!parsed.success) return 0;
  const { bytes, copiedBytes, totalBytes } = parsed.data.value;
  const total = totalBytes ?? sizeOf(move);
  return total > 0 ? Math.min(1, (bytes ?? copiedBytes ?? 0) / total) : 0;
}

/** What is to be said of it beside its state. */
export function noteOf(move: Move): string {
  const { status } = move.execution;
  if (isArrived(labelOf(move.execution))) {
    const pause = pauseOf(move);
    return pause === undefined ? '' : `writers paused ${showDuration(pause)}`;
  }
  switch (status.state) {
    case 'waiting':
      return `for ${status.waiting.on}`;
    case 'rolled-back':
    case 'stuck':
      return `${status.reason.sentence} (${status.reason.code})`;
    case 'rolling-back':
      return status.waiting?.on ?? status.reason.sentence;
    case 'running':
      if (status.waiting !== undefined) return status.waiting.on;
      return status.lastFailure === undefined || status.failures === 0
        ? ''
        : `${String(status.failures)} failed: ${status.lastFailure.sentence}`;
    case 'completed':
      return '';
    default:
      return status satisfies never;
  }
}

/** Widths that a block of lines has in common, so that they stand below each other. */
export interface LineWidths {
  readonly endpoint: number;
  readonly route: number;
}

const widestDoing = 15;
const barWidth = 20;
const routeOf = ({ source, target }: Move): string => `${source} → ${target}`;

export function widthsFor(moves: readonly Move[], columns: number): LineWidths {
  const widest = (texts: readonly string[], most: number): number =>
    Math.min(most, Math.max(4, ...texts.map((text) => widthOf(text))));
  return {
    endpoint: widest(
      moves.map(({ endpoint }) => endpoint),
      Math.max(10, Math.floor(columns / 4)),
    ),
    route: widest(moves.map(routeOf), Math.max(8, Math.floor(columns / 4))),
  };
}

/** One move on one line of a terminal. What there is no room for is left out: the note first, then bar and route. */
export function moveLine(move: Move, columns: number, widths: LineWidths): Text {
  const { mark, style } = looks[labelOf(move.execution)];
  const parts: Text[] = [styled(style, mark), ' ', fit(move.endpoint, widths.endpoint)];
  const room = (part: Text): boolean => widthOf(parts) + widthOf(part) <= columns;
  const route: Text = ['  ', fit(routeOf(move), widths.route)];
  const word: Text = [
    ' ',
    fit(stepNumber(move), 5, 'right'),
    ' ',
    { text: doing(move).padEnd(widestDoing), style },
  ];
  if (widthOf(parts) + widthOf(route) + widthOf(word) <= columns) parts.push(route);
  parts.push(word);
  const bar: Text = [' ', progressBar(shareDone(move), columns < 90 ? barWidth / 2 : barWidth, style)];
  if (room(bar)) parts.push(bar);
  const note = noteOf(move);
  if (note !== '' && room('  four')) parts.push('  ', cut(note, columns - widthOf(parts) - 2));
  return cut(parts, columns);
}

/** @param share from 0 to 1 */
export function progressBar(share: number, width: number, style: Style): Text {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  return [styled(style, '█'.repeat(full)), styled('faint', '░'.repeat(width - full))];
}
