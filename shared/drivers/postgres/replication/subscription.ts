import * as z from 'zod';
import { conninfo } from '../connection.ts';
import type { PostgresAddress, Session } from '../connection.ts';
import type { Hands } from '../hands.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { wholeNumber } from '../values.ts';

export interface Subscription {
  readonly oid: number;
  readonly name: string;
  readonly enabled: boolean;
}

/** Subscriptions of these names in the database of the session. */
export async function subscriptionsOf(inside: Session, names: readonly string[]): Promise<Subscription[]> {
  return await inside.query(
    `SELECT s.oid::bigint AS oid, subname::text AS name, subenabled AS enabled
       FROM pg_catalog.pg_subscription s
       JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
      WHERE d.datname = pg_catalog.current_database() AND subname = ANY ($1::name[])`,
    [names],
    z.object({ oid: wholeNumber, name: z.string(), enabled: z.boolean() }),
  );
}

export interface SubscriptionOptions {
  readonly source: PostgresAddress;
  readonly database: string;
  readonly binary: boolean;
}

/**
 * Makes a subscription that does nothing yet, of tables whose rows are there already, on a slot that is there
 * already. Its password stands in the target's catalog until the move is over.
 */
export async function createSubscription(
  target: Hands,
  database: number,
  name: string,
  options: SubscriptionOptions,
): Promise<void> {
  const settings = [
    'enabled = false',
    'create_slot = false',
    'copy_data = false',
    'streaming = on',
    `slot_name = ${quoteLiteral(name)}`,
    `binary = ${String(options.binary)}`,
  ];
  await executeWithWay(
    target,
    database,
    conninfo(options.source, { database: options.database, applicationName: name }),
    (way) =>
      `CREATE SUBSCRIPTION ${quoteIdentifier(name)} CONNECTION ${way}
         PUBLICATION ${quoteIdentifier(name)} WITH (${settings.join(', ')})`,
  );
}

/** The same subscription with a new password. */
export async function redirectSubscription(
  target: Hands,
  database: number,
  name: string,
  options: SubscriptionOptions,
): Promise<void> {
  await executeWithWay(
    target,
    database,
    conninfo(options.source, { database: options.database, applicationName: name }),
    (way) => `ALTER SUBSCRIPTION ${quoteIdentifier(name)} CONNECTION ${way}`,
  );
}

const waySetting = 'drayage.way';

/**
 * A statement with a connection string in it, whose password must stand neither in the target's log, whatever is
 * logged there, nor among the activities that monitoring sees. So it is put together on the server, from a setting
 * that came with the start of a session of its own: that is kept nowhere and seen by nobody else.
 */
async function executeWithWay(
  target: Hands,
  database: number,
  way: string,
  statement: (way: string) => string,
): Promise<void> {
  // In hex: the server makes its own encoding of it, as it does of a statement.
  const settings = { [waySetting]: Buffer.from(way).toString('hex') };
  const format = quoteLiteral(statement('%L').replaceAll(/%(?!L)/g, '%%'));
  const raise = 'RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;';
  // An error that passes through says in which statement it was: it is raised anew.
  const body = `BEGIN
      EXECUTE format(${format}, convert_from(decode(current_setting('${waySetting}'), 'hex'), 'UTF8'));
    EXCEPTION WHEN query_canceled THEN ${raise} WHEN OTHERS THEN ${raise}
    END`;
  const session = await target.inside(database, 'way', { settings });
  try {
    await session.transaction(async (tx) => {
      await hide(tx);
      await tx.execute(`DO ${quoteLiteral(body)}`);
    });
  } finally {
    await session.close();
  }
}

/** For what sees statements inside of statements, as far as the mover may: extensions, and a session that is ended. */
const discreet = [
  ['log_error_verbosity', 'terse'],
  ['pg_stat_statements.track', 'none'],
] as const;

async function hide(tx: Session): Promise<void> {
  for (const [setting, value] of discreet) {
    // A mover that is no superuser may not; then the log of the target is as its owner wants it.
    await tx.execute(`SAVEPOINT hide`);
    await tx
      .execute(`SET LOCAL ${setting} = ${quoteLiteral(value)}`)
      .catch(async () => tx.execute('ROLLBACK TO SAVEPOINT hide'));
  }
}

export async function enableSubscription(inside: Session, name: string, enabled: boolean): Promise<void> {
  await inside.execute(`ALTER SUBSCRIPTION ${quoteIdentifier(name)} ${enabled ? 'ENABLE' : 'DISABLE'}`);
}

/** Drops a subscription without a word to the source, whose slots are dropped from there. */
export async function dropSubscription(inside: Session, name: string): Promise<void> {
  const [known] = await subscriptionsOf(inside, [name]);
  if (known === undefined) return;
  const quoted = quoteIdentifier(name);
  await inside.execute(`ALTER SUBSCRIPTION ${quoted} DISABLE`);
  await inside.execute(`ALTER SUBSCRIPTION ${quoted} SET (slot_name = NONE)`);
  await inside.execute(`DROP SUBSCRIPTION ${quoted}`);
}

/**
 * Can every column travel in binary? Both sides must be of one major, and no type may carry oids of types
 * that users made (arrays and composites of them do): these differ from server to server.
 */
export async function binarySafe(source: Session, target: Session): Promise<boolean> {
  if (source.major !== target.major) return false;
  const { unsafe } = await source.one(
    `WITH RECURSIVE used(oid) AS (
       SELECT DISTINCT a.atttypid FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
       UNION
       SELECT next FROM used
         JOIN pg_catalog.pg_type t ON t.oid = used.oid
         LEFT JOIN pg_catalog.pg_range r ON used.oid IN (r.rngtypid, r.rngmultitypid)
        CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem), (r.rngsubtype)) AS via(next)
        WHERE next <> 0
     )
     SELECT EXISTS (
       SELECT FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
        WHERE t.typsend = 0 OR t.typreceive = 0 OR t.typtype = 'c'
           OR (t.typcategory = 'A' AND t.typelem >= 16384)
     ) AS unsafe`,
    [],
    z.object({ unsafe: z.boolean() }),
  );
  return !unsafe;
}
