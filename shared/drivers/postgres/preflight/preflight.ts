import { StepFailure } from '../../../domain/failure.ts';
import * as z from 'zod';
import { connect } from '../connection.ts';
import type { PostgresAddress, Session } from '../connection.ts';
import { readInventory } from '../inventory.ts';
import { readNeededRoles } from '../roles.ts';
import { readDatabaseAttributes } from '../schema/attributes.ts';
import { fingerprint } from '../schema/fingerprint.ts';
import { text } from '../values.ts';
import { checkCollations, checkExtensions, checkSurroundings } from './fit.ts';
import {
  checkCapacity,
  checkLongTransactions,
  checkOthers,
  checkReachability,
  checkWal,
} from './replication.ts';
import { Findings } from './report.ts';
import type { PreflightReport } from './report.ts';
import { checkRoles } from './roles.ts';
import { checkPrivileges, checkServers, readServer } from './server.ts';
import { checkTables, tableLimits } from './tables.ts';
import type { TableLimits } from './tables.ts';

export interface PreflightInput {
  readonly source: PostgresAddress;
  readonly target: PostgresAddress;
  /** The databases from which the servers are managed. */
  readonly sourceMaintenance: string;
  readonly targetMaintenance: string;
  readonly database: string;
  readonly targetDatabase: string;
  readonly applicationName: string;
  /** The source as the target reaches it. */
  readonly replication: Pick<PostgresAddress, 'host' | 'port' | 'tls'>;
  /** The name of the role by which the target will read the source; the mover's own where it makes none. */
  readonly replicationRole: string;
  readonly roles: 'require' | 'copy';
  readonly offline: 'refuse' | 'allow';
  /** Slots and subscriptions whose names start so are ours. */
  readonly ownPrefix: string;
  /** The schema of the host tokens in the maintenance databases. */
  readonly tokenSchema: string;
  readonly limits?: TableLimits;
  readonly signal?: AbortSignal;
}

/**
 * Looks at both hosts and says everything that stands in the way of this move, at once. Changes nothing on
 * any of them. A host that cannot be used (wrong password, no such database) is a finding; one that does not
 * answer is thrown, since its state is unknown.
 * @throws StepFailure with a verdict other than `fail`
 */
export async function runPreflight(input: PreflightInput): Promise<PreflightReport> {
  const findings = new Findings();
  const sessions: Session[] = [];
  const open = async (address: PostgresAddress, database: string): Promise<Session | undefined> => {
    try {
      const session = await connect(address, {
        database,
        applicationName: input.applicationName,
        lockTimeoutMs: 200,
        statementTimeoutMs: 60_000,
        ...(input.signal === undefined ? {} : { signal: input.signal }),
      });
      sessions.push(session);
      return session;
    } catch (error) {
      if (!(error instanceof StepFailure) || error.verdict !== 'fail') throw error;
      const { code, sentence, cure } = error.failure;
      findings.blocker(code, sentence, cure);
      return undefined;
    }
  };
  try {
    const source = await open(input.source, input.sourceMaintenance);
    const target = await open(input.target, input.targetMaintenance);
    if (source === undefined || target === undefined)
      return { findings: findings.list, mode: 'online', sizeBytes: 0 };
    const inside = await open(input.source, input.database);
    return await look(input, { source, target, inside }, findings);
  } finally {
    await Promise.all(sessions.map(async (session) => session.close()));
  }
}

interface Open {
  readonly source: Session;
  readonly target: Session;
  /** In the database itself, if it lets us in. */
  readonly inside: Session | undefined;
}

async function look(input: PreflightInput, open: Open, findings: Findings): Promise<PreflightReport> {
  const { source, target, inside } = open;
  const [here, there] = await Promise.all([
    readServer(source, input.tokenSchema),
    readServer(target, input.tokenSchema),
  ]);
  checkServers(here, there, findings);
  const mode = checkWal(here, input.offline, findings);
  await checkTargetName(target, input.targetDatabase, findings);
  if (inside === undefined || here.major < 15) return { findings: findings.list, mode, sizeBytes: 0 };
  const attributes = await readDatabaseAttributes(source, input.database);
  if (attributes.isTemplate || input.database === input.sourceMaintenance) {
    findings.blocker(
      'database-special',
      `"${input.database}" is ${attributes.isTemplate ? 'a template database' : 'the database from which the server is managed'}.`,
      'Move tenants’ databases only; give another maintenance database in the url of the host.',
      input.database,
    );
  }
  const inventory = await readInventory(inside);
  const tables = checkTables(inventory, here, mode, input.limits ?? tableLimits, findings);
  const owners = [...new Set([attributes.owner, ...inventory.tables.map(({ owner }) => owner)])];
  await checkPrivileges(
    { source: here, target: there, maintenance: input.targetMaintenance },
    inside,
    target,
    owners,
    findings,
  );
  await checkRoles(
    input.roles,
    await readNeededRoles(inside),
    { session: inside, server: here },
    { session: target, server: there },
    findings,
  );
  await checkExtensions(inventory, target, there, findings);
  await checkCollations(attributes, inside, target, findings);
  await checkSurroundings(attributes, inventory, inside, target, there, findings);
  await checkOthers(source, input.database, input.ownPrefix, findings);
  if (mode === 'online') {
    checkCapacity(here, there, findings);
    await checkLongTransactions(source, findings);
    const same = here.systemIdentifier === there.systemIdentifier;
    const probe = { database: input.database, user: input.replicationRole, superuser: there.superuser };
    if (!same) await checkReachability(target, { ...input.source, ...input.replication }, probe, findings);
  }
  const { exact, portable } = await fingerprint(inside);
  return {
    findings: findings.list,
    mode,
    sizeBytes: attributes.sizeBytes,
    facts: {
      systemIdentifier: here.systemIdentifier,
      targetSystemIdentifier: there.systemIdentifier,
      sourceVersion: here.versionNumber,
      targetVersion: there.versionNumber,
      attributes,
      ...tables,
      fingerprint: { exact, portable },
      superuser: { source: here.superuser, target: there.superuser },
    },
  };
}

async function checkTargetName(target: Session, name: string, findings: Findings): Promise<void> {
  const found = await target.query(
    `SELECT datname::text AS name FROM pg_database WHERE datname = $1`,
    [name],
    z.object({ name: text }),
  );
  if (found.length === 0) return;
  findings.blocker(
    'target-database-exists',
    `A database "${name}" is already on ${target.server}.`,
    'Rename or drop it if it is not needed: a move never touches it.',
    name,
  );
}
