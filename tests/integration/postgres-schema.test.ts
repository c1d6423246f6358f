import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { readInventory } from '../../shared/drivers/postgres/inventory.ts';
import {
  applyDatabaseAttributes,
  createDatabaseSql,
  readDatabaseAttributes,
} from '../../shared/drivers/postgres/schema/attributes.ts';
import { dumpSchema, dumpSchemaText } from '../../shared/drivers/postgres/schema/dump.ts';
import { fingerprint, schemaFacts, schemaPulse } from '../../shared/drivers/postgres/schema/fingerprint.ts';
import {
  build,
  pendingBuilds,
  applyStatements,
  countPending,
  recordStatements,
} from '../../shared/drivers/postgres/schema/ledger.ts';
import { sections } from '../../shared/drivers/postgres/schema/statements.ts';
import type { NpmMajor } from '../../local/demo/binaries.ts';
import { nastyRoles, nastyRows, nastySchema } from '../support/nasty-schema.ts';
import { startScratch } from '../support/scratch-postgres.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';
import { daily, longTest } from '../support/daily.ts';

const name = `sh'op "1" ünï`;
const ledger = { schema: 'move ledger' };
const options = { database: name, applicationName: 'test/schema' };
const servers = new Map<NpmMajor, ScratchServer>();

async function server(major: NpmMajor): Promise<ScratchServer> {
  const known = servers.get(major);
  if (known !== undefined) return known;
  const started = await startScratch(major);
  servers.set(major, started);
  const session = await started.session();
  await session.execute(nastyRoles);
  await session.execute(`CREATE DATABASE "sh'op ""1"" ünï" OWNER "Own er"`);
  await session.close();
  const inside = await started.session(name, { settings: { search_path: 'public' } });
  await inside.execute(nastySchema);
  await inside.execute(nastyRows);
  await inside.close();
  return started;
}

beforeAll(async () => {
  for (const major of [15, 18] as const) await server(major);
}, 120_000);

afterAll(async () => {
  await Promise.all([...servers.values()].map(async (each) => each.stop()));
});

async function emptyCopy(from: ScratchServer, to: ScratchServer, copy: string): Promise<Session> {
  const [source, maintenance] = await Promise.all([from.session(), to.session()]);
  const attributes = await readDatabaseAttributes(source, name);
  await maintenance.execute(createDatabaseSql(copy, attributes, { major: to.major }));
  await applyDatabaseAttributes(maintenance, copy, attributes);
  await Promise.all([source.close(), maintenance.close()]);
  return await to.session(copy);
}

const withoutVersion = (dump: string): string => dump.replace(/^-- Dumped .*$/gm, '');

const pairs = [
  [15, 15],
  [18, 18],
  [15, 18],
  [16, 17],
] as const;
describe.each(daily(pairs, ([, newer]) => newer === 18))('from %i to %i', (older, newer) => {
  let source: Session;
  let copy: Session;

  beforeAll(async () => {
    const [from, to] = [await server(older), await server(newer)];
    source = await from.session(name);
    copy = await emptyCopy(from, to, `copy of ${String(older)}`);
    const statements = await dumpSchema(from.address, options);
    await recordStatements(copy, ledger, statements);
    // In the middle of each section, as if the worker had died there.
    for (const section of sections) {
      await applyStatements(copy, ledger, { section, perTransaction: 5, goOn: () => false });
      const end = await applyStatements(copy, ledger, { section });
      expect(end.remaining).toBe(0);
    }
    expect(Object.values(await countPending(copy, ledger))).toEqual(sections.map(() => 0));
    await copy.execute('DROP SCHEMA "move ledger" CASCADE');
  }, 120_000);

  afterAll(async () => {
    await Promise.all([source.close(), copy.close()]);
  });

  test('the fingerprints agree, as far as the majors word alike', async () => {
    const [here, there] = await Promise.all([fingerprint(source), fingerprint(copy)]);
    expect(there.portable).toBe(here.portable);
    if (older === newer) expect(there.exact).toBe(here.exact);
    expect(await schemaFacts(copy, { portableOnly: true })).toEqual(
      await schemaFacts(source, { portableOnly: true }),
    );
  });

  const within = older === newer ? test : undefined;
  within?.('a second dump is byte-identical', async () => {
    const { address } = await server(older);
    const [first, second] = await Promise.all([
      dumpSchemaText(address, options),
      dumpSchemaText(address, { ...options, database: `copy of ${String(older)}` }),
    ]);
    expect(first.length).toBeGreaterThan(20_000);
    expect(withoutVersion(second)).toBe(withoutVersion(first));
  });

  test('what stands in no dump is carried over as well', async () => {
    const from = await readDatabaseAttributes(source, name);
    const to = await readDatabaseAttributes(copy, `copy of ${String(older)}`);
    expect(to).toMatchObject({ owner: from.owner, grants: from.grants, settings: from.settings });
    expect(to).toMatchObject({ encoding: from.encoding, provider: from.provider, collate: from.collate });
  });
});

describe('the ledger', () => {
  test('what is built for single tables is done once, however often it is asked for', async () => {
    const from = await server(18);
    const copy = await emptyCopy(from, from, 'built');
    await recordStatements(copy, ledger, await dumpSchema(from.address, options));
    await applyStatements(copy, ledger, { section: 'definitions' });
    const builds = await pendingBuilds(copy, ledger, ['keys']);
    const keyed = async (): Promise<string[]> =>
      (await readInventory(copy)).tables
        .filter(({ schema, primaryKey }) => schema !== ledger.schema && primaryKey !== null)
        .map((table) => table.name);
    const ofCustomers = builds.filter(({ name }) => name === 'customers');
    await build(copy, ledger, ofCustomers);
    await build(copy, ledger, ofCustomers);
    expect(await keyed()).toEqual(['customers']);
    const left = await pendingBuilds(copy, ledger, ['keys']);
    expect(left.map(({ id }) => id)).toEqual(
      builds.filter(({ name }) => name !== 'customers').map(({ id }) => id),
    );
    await copy.close();
  });

  test('an index is built to its end also when whoever asked for it is gone', async () => {
    const from = await server(18);
    const copy = await emptyCopy(from, from, 'abandoned');
    await recordStatements(copy, ledger, await dumpSchema(from.address, options));
    await applyStatements(copy, ledger, { section: 'definitions' });
    const [first] = await pendingBuilds(copy, ledger, ['keys']);
    if (first === undefined) throw new Error('the schema has no key');
    const slow = { ...first, sql: `SELECT pg_catalog.pg_sleep(1); ${first.sql}` };
    const builder = await from.session('abandoned');
    await builder.set({ client_connection_check_interval: '0' });
    const asked = build(builder, ledger, [slow]).catch(() => undefined);
    while (
      (await copy.execute(`SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`, [
        builder.pid,
      ])) === 0
    );
    builder.destroy();
    await asked;
    // Waits for the first to end, and finds it done.
    await build(copy, ledger, [first]);
    const left = await pendingBuilds(copy, ledger, ['keys']);
    expect(left.map(({ id }) => id)).not.toContain(first.id);
    await copy.close();
  });

  test('a statement that fails is named, and what stands before it is done', async () => {
    const from = await server(18);
    const copy = await emptyCopy(from, from, 'broken');
    await recordStatements(copy, ledger, await dumpSchema(from.address, options));
    await copy.execute('CREATE TABLE public.hen (other int)');
    const failure = await applyStatements(copy, ledger, { section: 'definitions' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      sqlState: '42P07',
      failure: { code: 'object-exists', sentence: expect.stringContaining('CREATE TABLE public.hen') },
    });
    const { definitions } = await countPending(copy, ledger);
    await copy.execute('DROP TABLE public.hen');
    const end = await applyStatements(copy, ledger, { section: 'definitions' });
    expect(end).toEqual({ applied: definitions, remaining: 0 });
    await copy.close();
  });
});

describe('the fingerprint', () => {
  const alterations: readonly (readonly [string, string])[] = [
    ['a column', 'ALTER TABLE public.hen ADD COLUMN extra int'],
    ['a default', 'ALTER TABLE public.hen ALTER COLUMN egg SET DEFAULT 5'],
    ['an index', 'CREATE INDEX ON public.hen (egg)'],
    ['a grant', 'GRANT DELETE ON public.hen TO reader'],
    ['an owner', 'ALTER TABLE public.egg OWNER TO reader'],
    ['a comment', `COMMENT ON TABLE public.hen IS 'other'`],
    [
      'a function body',
      `CREATE OR REPLACE FUNCTION public.pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    ],
    ['an enum label', `ALTER TYPE public.mood ADD VALUE 'new'`],
    ['a constraint', 'ALTER TABLE public.hen ADD CHECK (id > 0)'],
    ['a switched-off trigger', 'ALTER TABLE public.customers DISABLE TRIGGER touch_it'],
    ['a view', 'CREATE VIEW public.another AS SELECT 1 AS one'],
    ['a dropped table', 'DROP TABLE public.bookings'],
    ['a policy', 'DROP POLICY mine ON public.customers'],
    ['default privileges', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader'],
    ['a sequence option', 'ALTER SEQUENCE public.untouched INCREMENT 5'],
  ];
  const telling = ['a column', 'an index', 'a function body', 'a policy', 'a sequence option'];
  test.each(daily(alterations, ([what]) => telling.includes(what)))(
    'changes with %s, and so does the pulse',
    async (_, sql) => {
      const session = await (await server(18)).session(name);
      const [print, pulse] = [await fingerprint(session), await schemaPulse(session)];
      await session
        .transaction(async () => {
          await session.execute(sql);
          const after = await fingerprint(session);
          expect(after.exact).not.toBe(print.exact);
          expect(await schemaPulse(session)).not.toBe(pulse);
          throw new Error('undo');
        })
        .catch((error: unknown) => {
          if (!(error instanceof Error) || error.message !== 'undo') throw error;
        });
      expect(await fingerprint(session)).toEqual(print);
      expect(await schemaPulse(session)).toBe(pulse);
      await session.close();
    },
  );

  test('does not see rows, statistics or what the move itself sets', async () => {
    const session = await (await server(15)).session(name);
    const print = await fingerprint(session);
    await session.execute('CREATE SCHEMA "move ledger"; CREATE TABLE "move ledger".marker (a int)');
    await session.execute(
      'ALTER TABLE public.no_key REPLICA IDENTITY FULL; INSERT INTO public.hen VALUES (999, NULL)',
    );
    await session.execute('CREATE PUBLICATION ours FOR TABLE public.no_key; ANALYZE public.hen');
    await session.execute('REFRESH MATERIALIZED VIEW public.never_filled; TRUNCATE public.scratch');
    expect(await fingerprint(session, { ignoreSchemas: ['move ledger'] })).toEqual(print);
    await session.execute('DROP PUBLICATION ours; DROP SCHEMA "move ledger" CASCADE');
    await session.execute(
      'ALTER TABLE public.no_key REPLICA IDENTITY DEFAULT; DELETE FROM public.hen WHERE id = 999',
    );
    await session.close();
  });
});

longTest(
  'a thousand tables are dumped, fingerprinted, listed and made again',
  async () => {
    const from = await server(18);
    const maintenance = await from.session();
    await maintenance.execute('CREATE DATABASE many');
    await maintenance.close();
    const session = await from.session('many');
    for (let from = 0; from < 1000; from += 250) {
      const tables = Array.from({ length: 250 }, (_, i) => {
        const table = `public."table ${String(from + i)}"`;
        return `CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text DEFAULT ';'); CREATE INDEX ON ${table} (v);`;
      });
      await session.execute(tables.join('\n'));
    }
    const inventory = await readInventory(session);
    expect(inventory.tables).toHaveLength(1000);
    expect(inventory.sequences).toHaveLength(1000);
    const statements = await dumpSchema(from.address, { ...options, database: 'many' });
    const copy = await emptyCopy(from, from, 'many copy');
    await recordStatements(copy, ledger, statements);
    for (const section of sections) await applyStatements(copy, ledger, { section });
    const [here, there] = [
      await fingerprint(session),
      await fingerprint(copy, { ignoreSchemas: [ledger.schema] }),
    ];
    expect(there.facts).toBeGreaterThan(5_000);
    // The owner of the database is another one; nothing else is.
    expect(there.exact).toBe(here.exact);
    await Promise.all([session.close(), copy.close()]);
  },
  240_000,
);

test('a native pg_dump writes the same, where the machine has one that is new enough', async () => {
  const path = '/usr/lib/postgresql/15/bin/pg_dump';
  const said = await promisify(execFile)(path, ['--version']).catch(() => undefined);
  if (said === undefined) return;
  const from = await server(15);
  const [native, bundled] = await Promise.all([
    dumpSchema(from.address, { ...options, nativePgDump: path }),
    dumpSchema(from.address, options),
  ]);
  // Version 15 said ALTER TABLE of everything that has rows, and left double spaces.
  const text = (statements: typeof native): string[] =>
    statements.map(({ section, sql }) =>
      `${section}: ${sql}`
        .replace(/ALTER (MATERIALIZED VIEW|VIEW|SEQUENCE) (.* OWNER)/, 'ALTER TABLE $2')
        .replaceAll('  ', ' '),
    );
  expect(text(native)).toEqual(text(bundled));
});

test('a dump leaves no session behind, and a refused one says why', async () => {
  const from = await server(18);
  const session = await from.session();
  await session.execute(`CREATE ROLE weak LOGIN PASSWORD 'weak'`);
  const weak = { ...from.address, user: 'weak', password: 'weak' };
  const failure = await dumpSchema(weak, { ...options, applicationName: 'weak dump' }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ verdict: 'fail', failure: { code: 'schema-dump-failed' } });
  for (let look = 0; ; look += 1) {
    const left = await session.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name IN ('weak dump', 'test/schema')`,
      [],
      z.object({ pid: z.int() }),
    );
    if (left.length === 0) break;
    expect(look).toBeLessThan(50);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await session.execute('DROP ROLE weak');
  await session.close();
});
