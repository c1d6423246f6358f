import type { MoveContext } from '../context.ts';
import { isReplicated, qualifiedName } from '../inventory.ts';
import type { Stream } from './stream.ts';

/** Which tables travel in which stream: the parked ones in the second, all others in the first. */
export async function readStreams(context: MoveContext): Promise<readonly Stream[]> {
  const { tables } = await context.inventory();
  const parked = new Set(context.plan.parked.map(qualifiedName));
  const rows = tables.filter(isReplicated);
  const first: Stream = {
    name: context.names.stream(0),
    index: 0,
    tables: rows.filter((table) => !parked.has(qualifiedName(table))),
    parked: false,
  };
  if (parked.size === 0) return [first];
  const second: Stream = {
    name: context.names.stream(1),
    index: 1,
    tables: rows.filter((table) => parked.has(qualifiedName(table))),
    parked: true,
  };
  return [first, second];
}
