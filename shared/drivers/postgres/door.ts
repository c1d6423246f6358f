import * as z from 'zod';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { emptyDatabase } from './fence/empty.ts';
import { quoteIdentifier } from './identifiers.ts';
import { databaseAttributesSql } from './schema/attributes.ts';

const patienceMs = 5000;

/**
 * A copy of a closed database may outlive the worker that closed it, and nobody gets into a closed database.
 * So the next worker opens the door for the moment it takes to connect, to nobody who is no superuser, and
 * throws out whoever has slipped in.
 * @returns whether anybody else was inside: then what was copied so far may be old
 */
export async function reenter(context: MoveContext): Promise<{ readonly disturbed: boolean }> {
  const { source, sourceOid } = context;
  await source.underToken(sourceOid, async (tx, name) => {
    await shutOthers(tx, name, sourceOid);
    await tx.execute(
      `ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1`,
    );
  });
  try {
    await source.inside(sourceOid, 'tail');
    await source.inside(sourceOid, 'check');
  } finally {
    await source.underToken(sourceOid, async (tx, name) => {
      await tx.execute(`ALTER DATABASE ${quoteIdentifier(name)} WITH ALLOW_CONNECTIONS false`);
    });
  }
  const staying = { pids: source.pids(), slots: [] };
  const { ended } = await emptyDatabase(await source.maintenance('emptying'), sourceOid, staying, patienceMs);
  return { disturbed: ended > 0 };
}

/** Nobody may connect but the mover, and superusers, who always may. */
export async function shutOthers(tx: Session, name: string, oid: number): Promise<void> {
  const database = quoteIdentifier(name);
  const grantees = await tx.query(
    `SELECT DISTINCT r.rolname::text AS name FROM pg_catalog.pg_database d
      CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
       JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
      WHERE d.oid = $1 AND a.privilege_type = 'CONNECT' AND r.rolname <> $2`,
    [oid, tx.user],
    z.object({ name: z.string() }),
  );
  const others = ['PUBLIC', ...grantees.map((grantee) => quoteIdentifier(grantee.name))];
  await tx.execute(
    `REVOKE CONNECT ON DATABASE ${database} FROM ${others.join(', ')};
     GRANT CONNECT ON DATABASE ${database} TO ${quoteIdentifier(tx.user)}`,
  );
}

/**
 * Gives a database the owner, grants and settings that the source had before the move. Writers may be waiting:
 * all of it is one message.
 */
export async function letOthersIn(
  tx: Session,
  name: string,
  { plan }: MoveContext,
  ...more: readonly string[]
): Promise<void> {
  const database = quoteIdentifier(name);
  const { attributes } = plan;
  const statements: string[] = [];
  if (tx.user !== attributes.owner)
    statements.push(`REVOKE ALL ON DATABASE ${database} FROM ${quoteIdentifier(tx.user)}`);
  // What every new database has, since the way it was closed left something else.
  if (attributes.grants === null) {
    statements.push(
      `GRANT CONNECT, TEMPORARY ON DATABASE ${database} TO PUBLIC`,
      `GRANT ALL ON DATABASE ${database} TO ${quoteIdentifier(attributes.owner)}`,
    );
  }
  await tx.execute([...statements, ...databaseAttributesSql(name, attributes), ...more].join(';\n'));
}
