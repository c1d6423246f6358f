import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { conninfo } from '../../shared/drivers/postgres/connection.ts';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { copyRows, copyTableRows } from '../../shared/drivers/postgres/copy-rows.ts';
import { quoteLiteral } from '../../shared/drivers/postgres/identifiers.ts';
import {
  holdsRows,
  isReplicated,
  qualifiedName,
  readInventory,
} from '../../shared/drivers/postgres/inventory.ts';
import type { Inventory, Table } from '../../shared/drivers/postgres/inventory.ts';
import { copyLargeObjects, largeObjectsDigest } from '../../shared/drivers/postgres/large-objects.ts';
import { dumpSchema } from '../../shared/drivers/postgres/schema/dump.ts';
import { applyStatements, recordStatements } from '../../shared/drivers/postgres/schema/ledger.ts';
import {
  differingSequences,
  readSequences,
  writeSequences,
} from '../../shared/drivers/postgres/sequences.ts';
import { wholeNumber } from '../../shared/drivers/postgres/values.ts';
import { confirmTables, smallestTables } from '../../shared/drivers/postgres/verify/confirm.ts';
import { tableHash } from '../../shared/drivers/postgres/verify/hashes.ts';
import { verifyProgress, verifyTables } from '../../shared/drivers/postgres/verify/online.ts';
import type { VerifyOptions, VerifyReport } from '../../shared/drivers/postgres/verify/online.ts';
import { nastyRoles, nastyRows, nastySchema } from '../support/nasty-schema.ts';
import { startScratch } from '../support/scratch-postgres.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';
import { daily, longTest } from '../support/daily.ts';

const ledger = { schema: 'ledger' };
const nothing = { rows: [], tables: [] };
let older: ScratchServer;
let newer: ScratchServer;
let source: Session;
let target: Session;
let inventory: Inventory;
let tables: readonly Table[];

beforeAll(async () => {
  [older, newer] = await Promise.all([
    startScratch(15),
    startScratch(18, { wal_retrieve_retry_interval: '100ms' }),
  ]);
  for (const server of [older, newer]) {
    const session = await server.session();
    await session.execute(nastyRoles);
    await session.execute('CREATE DATABASE shop');
    await session.close();
  }
  const maker = await older.session('shop', { settings: { search_path: 'public' } });
  await maker.execute(nastySchema);
  await maker.execute(nastyRows);
  await maker.execute(`
    CREATE TABLE large (id bigint PRIMARY KEY, v text, n int);
    INSERT INTO large SELECT i, repeat(md5(i::text), 4), 0 FROM generate_series(1, 60000) i;
    CREATE TABLE texts (k text, l varchar(40), v int, PRIMARY KEY (k, l));
    INSERT INTO texts SELECT 'Ü' || (i % 100), 'x' || i, i FROM generate_series(1, 30000) i;
    ALTER TABLE no_key REPLICA IDENTITY FULL;
    ANALYZE;`);
  await maker.close();
  [source, target] = await Promise.all([older.session('shop'), newer.session('shop')]);
  await recordStatements(
    target,
    ledger,
    await dumpSchema(older.address, { database: 'shop', applicationName: 'test' }),
  );
  for (const section of ['definitions', 'keys'] as const) await applyStatements(target, ledger, { section });
  inventory = await readInventory(source);
  tables = inventory.tables.filter(isReplicated);
  for (const table of inventory.tables.filter(holdsRows)) await copyTableRows(source, target, table);
}, 120_000);

afterAll(async () => {
  await Promise.all([source.close(), target.close()]);
  await Promise.all([older.stop(), newer.stop()]);
});

async function verify(options: VerifyOptions = {}): Promise<VerifyReport> {
  const end = await verifyTables(source, target, tables, { rechecks: 2, ...options });
  if (end.kind !== 'done') throw new Error('not done');
  return end.report;
}

describe('rows that were copied', () => {
  test('every table has the same rows and hash, whatever its types, on 15 and on 18', async () => {
    for (const table of inventory.tables.filter(holdsRows)) {
      const [here, there] = await Promise.all([tableHash(source, table), tableHash(target, table)]);
      expect({ table: table.name, ...there }).toEqual({ table: table.name, ...here });
    }
  });

  test('sequences stand exactly where they stood, called or not', async () => {
    const states = await readSequences(source, inventory.sequences);
    expect(states.filter(({ isCalled }) => !isCalled).map(({ name }) => name)).toContain('untouched');
    expect(differingSequences(states, await readSequences(target, inventory.sequences))).not.toEqual([]);
    await writeSequences(target, states);
    expect(differingSequences(states, await readSequences(target, inventory.sequences))).toEqual([]);
  });

  test('large objects arrive with oid, owner, grants and contents, also the second time', async () => {
    await copyLargeObjects(source, target);
    expect(await copyLargeObjects(source, target)).toEqual({ count: 2, bytes: 300_000 });
    expect(await largeObjectsDigest(target)).toEqual(await largeObjectsDigest(source));
    const [row] = await target.query(
      `SELECT lomacl::text AS grants FROM pg_largeobject_metadata WHERE oid = 4242`,
      [],
      z.object({ grants: z.string() }),
    );
    expect(row?.grants).toContain('reader=r');
  });

  test('a row of 30 MB passes, and a side that fails leaves both sessions usable', async () => {
    await source.execute(`CREATE TABLE public.fat AS SELECT repeat('x', 30000000) AS v`);
    await target.execute('CREATE TABLE public.fat (v text)');
    const copy = { from: 'COPY public.fat TO STDOUT', into: 'COPY public.fat FROM STDIN' };
    expect(await copyRows(source, target, copy)).toMatchObject({ rows: 1 });
    await target.execute(`ALTER TABLE public.fat ADD CHECK (length(v) < 5) NOT VALID`);
    await expect(copyRows(source, target, copy)).rejects.toMatchObject({ sqlState: '23514' });
    await expect(
      copyRows(source, target, {
        ...copy,
        from: 'COPY (SELECT 1 / (i - 5) FROM generate_series(1, 9) i) TO STDOUT',
      }),
    ).rejects.toMatchObject({ sqlState: '22012' });
    await expect(
      copyRows(source, target, { ...copy, into: 'COPY public.nowhere FROM STDIN' }),
    ).rejects.toMatchObject({
      sqlState: '42P01',
    });
    expect(await tableHash(source, fat)).toEqual(await tableHash(target, fat));
    await source.execute('DROP TABLE public.fat');
    await target.execute('DROP TABLE public.fat');
  });
});

const fat = {
  schema: 'public',
  name: 'fat',
  columns: [{ name: 'v', type: 'text' }],
  primaryKey: null,
  primaryKeyTypes: null,
  estimatedRows: -1,
  sizeBytes: 0,
};

describe('equal sides', () => {
  test('nothing is left, and every row was looked at', async () => {
    const report = await verify();
    expect(report).toMatchObject({ tables: tables.length, left: nothing, settled: 0 });
    const { rows } = await source.one(
      `SELECT ${tables.map((table) => `(SELECT count(*) FROM ONLY ${qualifiedName(table)})`).join(' + ')} AS rows`,
      [],
      z.object({ rows: wholeNumber }),
    );
    expect(report.rows).toBe(rows);
  });

  test('interrupted at every safe point it looks at the same rows once', async () => {
    const whole = await verify();
    let calls = 1;
    const options = { goOn: () => false, chunkBytes: 1_000_000, rechecks: 2 };
    let end = await verifyTables(source, target, tables, options);
    while (end.kind === 'continue') {
      calls += 1;
      const stored: unknown = JSON.parse(JSON.stringify(end.progress));
      expect(JSON.stringify(stored).length).toBeLessThan(1000);
      end = await verifyTables(source, target, tables, {
        ...options,
        progress: verifyProgress.parse(stored),
      });
    }
    expect(calls).toBeGreaterThan(10);
    expect(end.report).toMatchObject({ tables: whole.tables, rows: whole.rows, left: nothing });
  });

  test('an aborted verification stops at once', async () => {
    const signal = AbortSignal.abort(new Error('lease lost'));
    await expect(verifyTables(source, target, tables, { signal })).rejects.toThrow('lease lost');
  });
});

describe('differences', () => {
  const spoil: readonly (readonly [string, string, string])[] = [
    ['a changed value', `UPDATE public.large SET v = 'other' WHERE id = 30001`, '30001'],
    ['a lost row', 'DELETE FROM public.large WHERE id = 77', '77'],
    ['a row too many', `INSERT INTO public.large VALUES (-5, 'x', 0)`, '-5'],
    ['values that changed places', `UPDATE public.large SET v = n::text, n = length(v) WHERE id = 5`, '5'],
    ['a value that became null', 'UPDATE public.large SET n = NULL WHERE id = 59999', '59999'],
  ];
  let undo: string[] = [];

  beforeEach(() => {
    undo = [];
  });

  test.each(daily(spoil, ([what]) => what === 'a changed value' || what === 'a lost row'))(
    '%s is found by its key',
    async (_, sql, key) => {
      await target.execute('CREATE TABLE ledger.kept AS SELECT * FROM public.large');
      try {
        await target.execute(sql);
        const report = await verify({ chunkBytes: 1_000_000 });
        expect(report.left).toEqual({ rows: [{ schema: 'public', name: 'large', key: [key] }], tables: [] });
        expect(await confirmTables(source, target, tables, report.left, [])).toEqual(report.left);
      } finally {
        await target.execute(
          'TRUNCATE public.large; INSERT INTO public.large SELECT * FROM ledger.kept; DROP TABLE ledger.kept',
        );
      }
      expect((await verify()).left).toEqual(nothing);
    },
  );

  test('without a key the table is named: a doubled row, a lost one, an empty row too many', async () => {
    undo = ['DELETE FROM public.no_columns'];
    await target.execute(`INSERT INTO public.no_columns DEFAULT VALUES`);
    await target.execute('CREATE TABLE ledger.kept AS SELECT * FROM public.no_key');
    await target.execute('INSERT INTO public.no_key SELECT * FROM public.no_key LIMIT 1');
    const report = await verify();
    expect(report.left.tables.map(({ name }) => name)).toEqual(['no_columns', 'no_key']);
    const confirmed = await confirmTables(source, target, tables, report.left, []);
    expect(confirmed.tables.map(({ name }) => name)).toEqual(['no_columns', 'no_key']);
    undo.push(
      'TRUNCATE public.no_key; INSERT INTO public.no_key SELECT * FROM ledger.kept; DROP TABLE ledger.kept',
    );
    for (const sql of undo) await target.execute(sql);
    expect(await confirmTables(source, target, tables, report.left, [])).toEqual(nothing);
  });

  test('keys of text, of several columns and with quotes are named as they are', async () => {
    await target.execute(
      `UPDATE public.texts SET v = -1 WHERE l = 'x7'; DELETE FROM "Ünï""code"."quo""ted ta.ble" WHERE "co""l" = 'ü3'`,
    );
    const { left } = await verify();
    expect(left.rows).toEqual(
      expect.arrayContaining([
        { schema: 'public', name: 'texts', key: ['Ü7', 'x7'] },
        { schema: 'Ünï"code', name: 'quo"ted ta.ble', key: ['3', 'ü3'] },
      ]),
    );
    expect(left.rows).toHaveLength(2);
    await target.execute(
      `UPDATE public.texts SET v = 7 WHERE l = 'x7'; INSERT INTO "Ünï""code"."quo""ted ta.ble" VALUES ('ü3', 3)`,
    );
    expect(await confirmTables(source, target, tables, left, [])).toEqual(nothing);
  });

  longTest('a copy that is broken altogether is reported as tables, not as endless keys', async () => {
    await target.execute('UPDATE public.large SET n = 1');
    const report = await verify({ maxInDoubt: 100 });
    expect(report.left).toEqual({ rows: [], tables: [{ schema: 'public', name: 'large' }] });
    await target.execute('UPDATE public.large SET n = 0');
    expect(await confirmTables(source, target, tables, report.left, [])).toEqual(nothing);
  });

  test('what differs only in the smallest tables is seen by the last look alone', async () => {
    await target.execute('UPDATE public.egg SET hen = 3 WHERE id = 9');
    const chosen = smallestTables(tables, 2_000_000);
    expect(chosen.map(({ name }) => name)).toContain('egg');
    const found = await confirmTables(source, target, tables, nothing, chosen);
    expect(found).toEqual({ rows: [{ schema: 'public', name: 'egg', key: ['9'] }], tables: [] });
    await target.execute('UPDATE public.egg SET hen = 9 WHERE id = 9');
  });
});

test('while writers write and the target follows, changes in flight settle and real damage stays', async () => {
  await source.execute(
    `CREATE PUBLICATION p FOR TABLE ${tables.map((table) => `ONLY ${qualifiedName(table)}`).join(', ')}`,
  );
  const info = conninfo(older.address, { database: 'shop', applicationName: 'follower' });
  await target.execute(
    `CREATE SUBSCRIPTION follower CONNECTION ${quoteLiteral(info)} PUBLICATION p WITH (copy_data = false)`,
  );
  let writing = true;
  let written = 0;
  const writers = [1, 2, 3].map(async (writer) => {
    const session = await older.session('shop');
    while (writing) {
      const id = 1000 + ((written * 7919 + writer) % 50_000);
      await session.execute(
        `UPDATE public.large SET n = n + 1 WHERE id IN (${String(id)}, ${String(writer)});
         INSERT INTO public.no_key VALUES (${String(writer)}, 'w');
         UPDATE public.texts SET v = v + 1 WHERE k = 'Ü1' AND l = 'x${String(writer * 100 + 1)}'`,
      );
      written += 1;
    }
    await session.close();
  });
  try {
    await target.execute('DELETE FROM public.large WHERE id = 60000');
    const report = await verify({ rechecks: 12, chunkBytes: 1_000_000 });
    expect(report.left.rows).toContainEqual({ schema: 'public', name: 'large', key: ['60000'] });
    const before = written;
    while (written < before + 20) await new Promise((resolve) => setTimeout(resolve, 20));
    writing = false;
    await Promise.all(writers);
    await source.execute(`INSERT INTO public.parent VALUES (4711, 'marker')`);
    for (let look = 0; ; look += 1) {
      const seen = await target.query(
        'SELECT id FROM public.parent WHERE id = 4711',
        [],
        z.object({ id: z.int() }),
      );
      if (seen.length > 0) break;
      expect(look).toBeLessThan(400);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // The source rests: what the writers touched has arrived, and only the damage is left.
    expect(
      await confirmTables(source, target, tables, report.left, smallestTables(tables, 5_000_000)),
    ).toEqual({
      rows: [{ schema: 'public', name: 'large', key: ['60000'] }],
      tables: [],
    });
  } finally {
    writing = false;
    await Promise.allSettled(writers);
    await target.execute('DROP SUBSCRIPTION follower');
  }
}, 120_000);
