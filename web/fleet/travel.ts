import type { MoveLabel } from '../../shared/domain/move.ts';
import type { Box } from './plan.ts';

export const travelling = ['transferring', 'cutting-over', 'rolling-back'] as const;

/** An endpoint that is on its way from one host to another. */
export interface Journey {
  readonly endpoint: string;
  readonly move: string;
  readonly source: string;
  readonly target: string;
  readonly state: (typeof travelling)[number] & MoveLabel;
  /** When it was first seen in that state, epoch milliseconds. */
  readonly since: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** How far the picture lets it come: only the cutover brings it over, so nothing arrives too early. */
const stretches = {
  transferring: { from: 0.06, to: 0.7, ms: 6_000 },
  'cutting-over': { from: 0.7, to: 0.97, ms: 2_500 },
  'rolling-back': { from: 0.6, to: 0.03, ms: 4_000 },
} as const;

/**
 * How much of its way it has come, from 0 to 1. The API tells its state and not its share: within a state it goes on
 * more and more slowly, and gets no further than that state can mean.
 */
export function shareOf({ state, since }: Pick<Journey, 'state' | 'since'>, at: number): number {
  const { from, to, ms } = stretches[state];
  return from + (to - from) * (1 - Math.exp(-Math.max(0, at - since) / ms));
}

/** Of what travels along the first row: the arc itself stays well below. */
const ceiling = -24;

/** On an arc between two boxes, above both: so that what travels together is not one line. */
export function pointOf(from: Box, to: Box, share: number): Point {
  const start = middle(from);
  const end = middle(to);
  const rise = Math.min(90, 24 + Math.abs(end.x - start.x) / 6);
  // Nothing leaves the picture.
  const top = Math.max(Math.min(start.y, end.y) - rise, ceiling);
  const rest = 1 - share;
  return {
    x: rest * rest * start.x + 2 * rest * share * ((start.x + end.x) / 2) + share * share * end.x,
    y: rest * rest * start.y + 2 * rest * share * top + share * share * end.y,
  };
}

const middle = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });
