import type { Session } from '../connection.ts';
import { holdsRows, qualifiedName } from '../inventory.ts';
import type { Table } from '../inventory.ts';
import type { Marks } from './marks.ts';

/** Of smaller tables it takes no time that anybody would notice. */
const smallTable = 1024 ** 2;

/**
 * Autovacuum goes over a table as soon as its rows are there, and again once it has changed: a third of what
 * the copy itself costs, and index builds wait for it up to a second each. It is held back until the target is
 * complete; statistics are made by the copy itself.
 */
export async function holdAutovacuum(inside: Session, marks: Marks, tables: readonly Table[]): Promise<void> {
  await alterOnce(inside, marks, 'autovacuum held', tables, 'SET (autovacuum_enabled = off)');
}

/** From here on as the owner has it. */
export async function releaseAutovacuum(
  inside: Session,
  marks: Marks,
  tables: readonly Table[],
): Promise<void> {
  await alterOnce(inside, marks, 'autovacuum released', tables, 'RESET (autovacuum_enabled)');
}

async function alterOnce(
  inside: Session,
  marks: Marks,
  what: string,
  tables: readonly Table[],
  change: string,
): Promise<void> {
  const concerned = tables.filter(
    (table) =>
      holdsRows(table) &&
      table.extension === undefined &&
      !table.setsAutovacuum &&
      table.sizeBytes > smallTable,
  );
  const statements = concerned.map((table) => `ALTER TABLE ${qualifiedName(table)} ${change}`);
  await inside.transaction(async (tx) =>
    marks.once(tx, what, async () => {
      if (statements.length > 0) await tx.execute(statements.join('; '));
    }),
  );
}
