import type { Move } from './move.ts';

/**
 * The order in which moves wait for permits, as one text: by source, and within a source by lanes. A lane is what
 * one batch moves from one host to one other; who knows its first knows what stands in the way of all of it. So
 * whoever looks for what can go on reads a little of each lane, however long it is.
 */
export function writeWaitingOrder(
  move: Pick<Move, 'source' | 'priority' | 'batch' | 'target' | 'createdAt' | 'id'>,
  workflow: string,
): string {
  const { source, priority, batch, target, createdAt, id } = move;
  const rank = highest - Math.max(-highest, Math.min(highest, priority));
  const named = workflow === unnamed ? [] : [workflow];
  return [source, digits(rank, 10), batch, target, digits(createdAt, 13), id, ...named].join('#');
}

export interface WaitingPlace {
  readonly priority: number;
  readonly createdAt: number;
  /** The batch in whose lane it stands; orders of earlier releases do not say. */
  readonly lead?: string;
  /** By which the move has begun: who does not know it leaves it where it stands. */
  readonly workflow: string;
}

/** @returns undefined when the text is of no such order */
export function readWaitingOrder(order: string): WaitingPlace | undefined {
  const found = (wellFormed.exec(order) ?? ofEarlierReleases.exec(order))?.groups ?? {};
  const { rank, createdAt, lead, workflow = unnamed } = found;
  if (rank === undefined || createdAt === undefined) return undefined;
  const place = { priority: highest - Number(rank), createdAt: Number(createdAt), workflow };
  return lead === undefined ? place : { ...place, lead };
}

/** The lane in which an order stands. */
export const laneOf = (order: string): string => order.split('#', 4).join('#');

/** Behind everything of the lane, and before everything of the next. */
export const pastLane = (order: string): string => `${laneOf(order)}${behind}`;

/** Behind everything that leaves the source, and before everything that leaves the next. */
export const pastSource = (order: string): string => `${order.split('#', 1).join('')}${behind}`;

/** The workflow of orders that name none: the first there was, whatever later releases begin moves by. */
const unnamed = 'move-endpoint';
const highest = 1_000_000_000;
/** Sorts behind `#`, and before everything that a name has in it. */
const behind = '$';
const wellFormed =
  /^[^#]+#(?<rank>\d{10})#(?<lead>[^#]+)#[^#]+#(?<createdAt>\d{13})#[^#]*(?:#(?<workflow>[^]*))?$/;
const ofEarlierReleases = /^(?<rank>\d{10})#(?<createdAt>\d{13})#/;
const digits = (value: number, width: number): string => String(value).padStart(width, '0');
