import { setTimeout as delay } from 'node:timers/promises';
import type { MoveContext } from '../context.ts';
import { isReplicated, qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';

const everyMs = 1000;
/** A larger one is left to autovacuum: to go over it each second would cost more than it brings. */
const mostBytes = 64 * 1024 ** 2;

/** A table without a key: the target reads all of it to find the row of one change. */
const isScanned = (table: Table): boolean =>
  isReplicated(table) &&
  (table.replicaIdentity === 'full' || !table.identifiesRows) &&
  table.sizeBytes <= mostBytes;

/**
 * While `work` lasts, the dead rows of tables without a key are cleared away each second: every change leaves
 * one, and every later change would read it. The more there is to catch up, the more it matters.
 */
export async function keepingShort<T>(context: MoveContext, work: () => Promise<T>): Promise<T> {
  const { tables } = await context.inventory();
  const scanned = tables.filter(isScanned);
  if (scanned.length === 0) return await work();
  const ended = new AbortController();
  // Only speed is at stake: if this session is lost, `work` finds out by its own.
  const clearing = clearEachSecond(context, scanned, ended.signal).catch(() => undefined);
  try {
    return await work();
  } finally {
    ended.abort();
    await clearing;
  }
}

async function clearEachSecond(
  context: MoveContext,
  tables: readonly Table[],
  ended: AbortSignal,
): Promise<void> {
  const session = await context.target.inside(await context.targetOid(), 'clearing');
  const list = tables.map(qualifiedName).join(', ');
  for (;;) {
    await delay(everyMs, undefined, { signal: ended });
    // Not TRUNCATE: it would lock out the changes for the sake of space that they fill again.
    await session.execute(`VACUUM (SKIP_LOCKED, TRUNCATE off) ${list}`);
  }
}
