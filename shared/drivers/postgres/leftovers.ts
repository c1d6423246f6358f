import type { MoveContext } from './context.ts';
import { copyTableRows } from './copy-rows.ts';
import type { Session } from './connection.ts';
import { holdsRows, qualifiedName } from './inventory.ts';
import type { Inventory, Table } from './inventory.ts';
import { copyLargeObjects, largeObjectsDigest } from './large-objects.ts';

/** What replication does not carry: unlogged tables, rows that users keep in extensions' tables, large objects. */
export function leftoverTables({ tables }: Inventory): Table[] {
  return tables.filter((table) => holdsRows(table) && (table.unlogged || table.extension !== undefined));
}

/**
 * Copies them while the source is frozen, so they are small: preflight refuses a database where they are not.
 * Each table in one transaction that first empties it: safe to repeat.
 */
export async function copyLeftovers(context: MoveContext, source: Session, target: Session): Promise<void> {
  const inventory = await context.inventory();
  for (const table of leftoverTables(inventory)) await copyWholeTable(source, target, table);
  if (inventory.largeObjects.count === 0 && (await largeObjectsDigest(source)).count === 0) return;
  // They came before the freeze already; mostly nothing has changed since.
  const [here, there] = await Promise.all([largeObjectsDigest(source), largeObjectsDigest(target)]);
  if (here.digest !== there.digest || here.count !== there.count) await copyLargeObjects(source, target);
}

/** All rows of a table that are the user's, in place of those that are there. */
export async function copyWholeTable(source: Session, target: Session, table: Table): Promise<void> {
  const condition = table.extension?.condition.replace(/^\s*WHERE\s+/i, '');
  if (table.extension !== undefined && condition === undefined) return;
  const where = condition === undefined || condition === '' ? undefined : condition;
  await target.transaction(async (tx) => {
    await silenceTriggers(tx);
    const only = where === undefined ? '' : ` WHERE ${where}`;
    await tx.execute(`DELETE FROM ONLY ${qualifiedName(table)}${only}`);
    await copyTableRows(source, tx, table, where === undefined ? {} : { where });
  });
}

/** Rows arrive as they are: triggers have run on the source. A mover that may not say so lets them run. */
export async function silenceTriggers(tx: Session): Promise<void> {
  await tx.execute('SAVEPOINT silence');
  await tx
    .execute('SET LOCAL session_replication_role = replica')
    .catch(async () => tx.execute('ROLLBACK TO SAVEPOINT silence'));
}
