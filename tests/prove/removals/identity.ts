import { removals } from '../removal.ts';

const driver = { invariant: 7, test: 'tests/conformance/driver-postgres.test.ts' } as const;
const recorded = {
  ...driver,
  testName: 'the PostgreSQL 18 driver residue is recorded before it is made, and all of it is recorded',
} as const;

/** Records before things, and identity before destruction. */
export const identityRemovals = [
  ...removals(recorded, [
    {
      name: 'database-unrecorded',
      enforces: "The target's database, and our schema in it, are recorded before they are made.",
      file: 'shared/drivers/postgres/provision.ts',
      symbol: 'create',
      from: '  await context.record(target, [entry, schema]);\n',
      to: '',
    },
    {
      name: 'retained-unrecorded',
      enforces: 'The retained copy is recorded under its new name before it gets it.',
      file: 'shared/drivers/postgres/release.ts',
      symbol: 'renameRetained',
      from: `  await context.record(source, [
    {
      key,`,
      to: `  await rename(source, sourceOid, names.retained, \`retained after the move of \${job.endpoint}\`);
  await context.record(source, [
    {
      key,`,
    },
  ]),
  ...removals(driver, [
    {
      name: 'settings-unrecorded',
      enforces: 'How the source lets people in is recorded before it is closed.',
      file: 'shared/drivers/postgres/fence/fence.ts',
      symbol: 'recordSourceSettings',
      from: '  else await recordSourceSettings(context);\n',
      to: '',
      test: 'tests/integration/postgres-offline.test.ts',
      testName:
        'a copy of a closed source, by a superuser records how the source was before it is closed: who dies in between leaves it open',
    },
    {
      name: 'identities-unnoted',
      enforces:
        'The replica identities that a move changes are noted in the source before, and restored from there.',
      file: 'shared/drivers/postgres/replication/identity.ts',
      symbol: 'setIdentities',
      from: "     INSERT INTO ${noted(schema)} VALUES ${rows.join(', ')} ON CONFLICT DO NOTHING`",
      to: '`',
      testName:
        'the PostgreSQL 18 driver the way back after copy leaves the source as it was and nothing on the target, also when it is gone twice',
    },
    {
      name: 'slot-outlives-move',
      enforces: 'No slot outlives its move: the source is cleared also when the target does not answer.',
      file: 'shared/drivers/postgres/release.ts',
      symbol: 'dropReplication',
      from: '  const targetTrouble = await attempt(async () => dropSubscriptions(context));\n',
      to: '  const targetTrouble: unknown = await dropSubscriptions(context);\n',
      test: 'tests/integration/postgres-settle.test.ts',
      testName:
        'a move in its cutover a slot goes from the source also when the target is down: nothing else would ever read from it',
    },
    {
      name: 'drop-by-name',
      enforces: 'A copy is retired by its number, never by the name it was once known by.',
      file: 'shared/drivers/postgres/drop-database.ts',
      symbol: 'retire',
      from: `  if (known !== undefined && known.oid !== copy.oid) throw notOurs(source, copy.database);
  await dropDatabase(source, copy.oid, copy.systemIdentifier, names, undefined);
`,
      to: `  const oid = (await databaseOid(await source.maintenance(), copy.database)) ?? copy.oid;
  await dropDatabase(source, oid, copy.systemIdentifier, names, undefined);
`,
      testName: 'the PostgreSQL 18 driver identity retire drops nothing but the database of its number',
    },
    {
      name: 'drop-on-any-server',
      enforces: 'Nothing is dropped on another server than the one that was recorded.',
      file: 'shared/drivers/postgres/drop-database.ts',
      symbol: 'assertServer',
      from: 'if (found === systemIdentifier) return;',
      to: "if (found !== '') return;",
      testName:
        'the PostgreSQL 18 driver identity retire drops nothing on another server than the one that holds the copy',
    },
    {
      name: 'drop-what-serves',
      enforces: 'A database that bears none of our names is not dropped, whatever its number.',
      file: 'shared/drivers/postgres/drop-database.ts',
      symbol: 'notOurs',
      from: '    if (!ours) throw notOurs(hands, row.name);\n',
      to: '',
      test: 'tests/integration/postgres-broken-off.test.ts',
      testName: 'a retire with the number of a database that clients use drops nothing',
    },
  ]),
];
