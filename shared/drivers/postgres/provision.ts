import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { StepEnd } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { shutOthers } from './door.ts';
import { assertServer } from './drop-database.ts';
import { openTargetToUs } from './fence/fence.ts';
import { hasSqlState } from './failures.ts';
import { databaseOid } from './hands.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import { applicationName } from './names.ts';
import { rename } from './release.ts';
import { copyRoles, readNeededRoles } from './roles.ts';
import { createDatabaseSql } from './schema/attributes.ts';
import { dumpSchema } from './schema/dump.ts';
import { applyStatements, recordStatements } from './schema/ledger.ts';

/**
 * An empty database on the target that nobody but the mover may enter, with the schema and the keys that
 * replication needs; made under our own name, and renamed to its own as the last act: two of that name cannot
 * be, so this is the test that nothing stood there. Every statement of the schema is marked in the database
 * when it is done, so a crash costs nothing but the last one.
 */
export async function provision(context: MoveContext): Promise<StepEnd> {
  const { source, target, sourceOid, names, plan, job } = context;
  await assertServer(source, plan.systemIdentifier);
  await source.hold(sourceOid);
  const oid = (await context.findTarget()) ?? (await create(context));
  await openTargetToUs(context);
  const name = await target.nameOf(oid);
  if (name === job.database) return done(oid);
  if (name !== names.provisional) throw renamed(context, name);
  await closeToOthers(context, oid);
  const unfinished = await fill(context, oid);
  if (unfinished !== undefined) return unfinished;
  await target.leave(oid);
  try {
    await rename(target, oid, job.database, names.comment);
  } catch (error) {
    throw hasSqlState(error, '42P04') ? nameTaken(context) : error;
  }
  return done(oid);
}

const done = (oid: number): StepEnd => ({ kind: 'done', result: { oid } });

async function create(context: MoveContext): Promise<number> {
  const { source, target, names, plan, job } = context;
  const maintenance = await target.maintenance();
  if ((await databaseOid(maintenance, job.database)) !== undefined) throw nameTaken(context);
  if (job.policy.roles === 'copy') {
    await copyRoles(
      await source.maintenance(),
      maintenance,
      await readNeededRoles(await source.inside(plan.attributes.oid, 'work')),
    );
  }
  const systemIdentifier = await target.systemIdentifier();
  const name = names.provisional;
  const entry = { key: `database:${name}`, kind: 'database', name, systemIdentifier };
  const schema = { key: `schema:${names.schema}`, kind: 'schema', name: names.schema, systemIdentifier };
  await context.record(target, [entry, schema]);
  if ((await databaseOid(maintenance, names.provisional)) === undefined) {
    const sql = createDatabaseSql(names.provisional, plan.attributes, { major: maintenance.major });
    await maintenance.execute(sql).catch((error: unknown) => {
      // Under this name only a worker of this move makes one: an earlier one that was stopped, and continues now.
      if (!hasSqlState(error, '42P04', '23505')) throw error;
    });
  }
  const { oid } = await maintenance.one(
    'SELECT oid::int8 AS oid FROM pg_catalog.pg_database WHERE datname = $1',
    [names.provisional],
    z.object({ oid: z.coerce.number() }),
  );
  await context.record(target, [
    { ...entry, oid },
    { ...schema, oid },
  ]);
  return oid;
}

/** Tenants stay out, the owner included; the mover gets in by a grant of its own. */
async function closeToOthers(context: MoveContext, oid: number): Promise<void> {
  const { target, names, plan } = context;
  await target.underToken(oid, async (tx, name) => {
    const database = quoteIdentifier(name);
    await tx.execute(`ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(plan.attributes.owner)}`);
    await shutOthers(tx, name, oid);
    await tx.execute(`COMMENT ON DATABASE ${database} IS ${quoteLiteral(names.comment)}`);
  });
}

async function fill(context: MoveContext, oid: number): Promise<StepEnd | undefined> {
  const { source, target, names, plan, job } = context;
  const inside = await target.inside(oid, 'work');
  const place = { schema: names.schema };
  if (!(await isWritten(inside, names.schema))) {
    const statements = await dumpSchema(source.address, {
      database: job.database,
      applicationName: applicationName(job, job.token),
      excludeSchemas: [names.schema],
      ignorePublications: [names.stream],
      ignoreReplicaIdentity: plan.identities,
      signal: job.signal,
    });
    await recordStatements(inside, place, statements);
  }
  const goOn = (): boolean => job.remainingMs() > 2000;
  const definitions = await applyStatements(inside, place, { section: 'definitions', goOn });
  return definitions.remaining > 0
    ? { kind: 'continue', progress: { definitions: definitions.remaining } }
    : undefined;
}

async function isWritten(inside: Session, schema: string): Promise<boolean> {
  const { there } = await inside.one(
    'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
    [`${quoteIdentifier(schema)}.schema_statements`],
    z.object({ there: z.boolean() }),
  );
  return there;
}

function nameTaken({ job }: MoveContext): StepFailure {
  return new StepFailure(
    {
      code: 'target-database-exists',
      sentence: `There is a database "${job.database}" on host "${job.target.host}" already.`,
      cure: 'Rename or drop it there, or move to another host.',
    },
    'fail',
  );
}

function renamed({ job }: MoveContext, name: string): StepFailure {
  return new StepFailure(
    {
      code: 'target-renamed',
      sentence: `The database of this move on host "${job.target.host}" is called "${name}" now.`,
      cure: 'Somebody has renamed it. Start the move again.',
    },
    'fail',
  );
}
