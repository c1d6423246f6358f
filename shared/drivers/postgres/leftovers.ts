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

/** Sessions into one side: the leftovers have `own`, and may ask a question of the `other`. */
interface Sessions {
  readonly own: Session;
  readonly other: Session;
}

/**
 * Copies them while the source is frozen, so they are small: preflight refuses a database where they are not.
 * Tables are emptied first, in the transaction that fills them: safe to repeat. Large objects came before the
 * freeze already; mostly nothing has changed since.
 */
export async function copyLeftovers(context: MoveContext, source: Sessions, target: Sessions): Promise<void> {
  const inventory = await context.inventory();
  const tables = leftoverTables(inventory);
  const [, areEqual] = await Promise.all([
    tables.length > 0 &&
      target.own.transaction(async (tx) => {
        for (const table of tables) await copyWholeTable(source.own, tx, table);
      }),
    areLargeObjectsEqual(source.other, target.other),
  ]);
  if (!areEqual) await copyLargeObjects(source.own, target.own);
}

async function areLargeObjectsEqual(source: Session, target: Session): Promise<boolean> {
  const [here, there] = await Promise.all([largeObjectsDigest(source), largeObjectsDigest(target)]);
  return here.digest === there.digest && here.count === there.count;
}

/** All rows of a table that are the user's, in place of those that are there; in a transaction of the caller's. */
export async function copyWholeTable(source: Session, tx: Session, table: Table): Promise<void> {
  const condition = table.extension?.condition.replace(/^\s*WHERE\s+/i, '');
  if (table.extension !== undefined && condition === undefined) return;
  const where = condition === undefined || condition === '' ? undefined : condition;
  await silenceTriggers(tx);
  const only = where === undefined ? '' : ` WHERE ${where}`;
  await tx.execute(`DELETE FROM ONLY ${qualifiedName(table)}${only}`);
  await copyTableRows(source, tx, table, where === undefined ? {} : { where });
}

/** Rows arrive as they are: triggers have run on the source. A mover that may not say so lets them run. */
export async function silenceTriggers(tx: Session): Promise<void> {
  await tx.execute('SAVEPOINT silence');
  await tx
    .execute('SET LOCAL session_replication_role = replica')
    .catch(async () => tx.execute('ROLLBACK TO SAVEPOINT silence'));
}
