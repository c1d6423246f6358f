import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import * as z from 'zod';
import { replicationAddress } from '../address.ts';
import type { PostgresAddress, Session } from '../connection.ts';
import type { Hands } from '../hands.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';

/**
 * By whom the target's workers read the source. Its connection string ends up in the target's catalog, so a
 * mover that is a superuser makes a role for this move alone, with a password that is kept nowhere: it is
 * replaced whenever it is needed again. A mover that may not make roles lends its own name.
 */
export async function mayMakeRole(source: Session): Promise<boolean> {
  const { super: yes } = await source.one(
    'SELECT rolsuper AS super FROM pg_catalog.pg_roles WHERE rolname = current_user',
    [],
    z.object({ super: z.boolean() }),
  );
  return yes;
}

/** What the role must not inherit from defaults that somebody set for all roles. */
const settings: Readonly<Record<string, string>> = {
  // A row hidden by a policy would be missing on the target: rather an error.
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/**
 * Makes the role or gives it a new password, and returns the way to the source with it. The server is sent
 * the verifier of the password, never the password: statements are logged.
 */
export async function makeRole(source: Hands, role: string, database: string): Promise<PostgresAddress> {
  const maintenance = await source.maintenance();
  const password = randomBytes(24).toString('base64url');
  const name = quoteIdentifier(role);
  await maintenance.transaction(async (tx) => {
    const there = await roleExists(tx, role);
    await tx.execute(
      `${there ? 'ALTER' : 'CREATE'} ROLE ${name} LOGIN REPLICATION BYPASSRLS NOSUPERUSER NOCREATEDB NOCREATEROLE
         CONNECTION LIMIT -1 PASSWORD ${quoteLiteral(scramVerifier(password))}`,
    );
    if (!there) {
      await tx.execute(`GRANT pg_read_all_data TO ${name}`);
      for (const [key, value] of Object.entries(settings)) {
        await tx.execute(`ALTER ROLE ${name} SET ${key} = ${quoteLiteral(value)}`);
      }
    }
    const { connects } = await tx.one(
      `SELECT pg_catalog.has_database_privilege($1::name, $2::text, 'CONNECT') AS connects`,
      [role, database],
      z.object({ connects: z.boolean() }),
    );
    if (!connects) await tx.execute(`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${name}`);
  });
  return { ...replicationAddress(source.site), user: role, password };
}

/** Drops the role. Nothing depends on it but, where it was needed, the right to connect. */
export async function dropRole(maintenance: Session, role: string): Promise<void> {
  if (!(await roleExists(maintenance, role))) return;
  await maintenance.transaction(async (tx) => {
    const granted = await tx.query(
      `SELECT DISTINCT d.datname::text AS name FROM pg_catalog.pg_database d
        CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) a
         JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE r.rolname = $1`,
      [role],
      z.object({ name: z.string() }),
    );
    for (const { name } of granted) {
      await tx.execute(`REVOKE ALL ON DATABASE ${quoteIdentifier(name)} FROM ${quoteIdentifier(role)}`);
    }
    await tx.execute(`DROP ROLE ${quoteIdentifier(role)}`);
  });
}

async function roleExists(session: Session, role: string): Promise<boolean> {
  const row = await session.maybeOne(
    'SELECT oid::text AS oid FROM pg_catalog.pg_roles WHERE rolname = $1',
    [role],
    z.object({ oid: z.string() }),
  );
  return row !== undefined;
}

/** What PostgreSQL stores of a password (RFC 5803), so that the password itself never travels. */
export function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  const server = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${String(iterations)}:${salt.toString('base64')}$${stored}:${server}`;
}
