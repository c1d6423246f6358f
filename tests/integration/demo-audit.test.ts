import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auditLedger, isSound } from '../../local/demo/audit.ts';
import type { LedgerAudit } from '../../local/demo/audit.ts';
import {
  compareCatalogs,
  compareContent,
  describeCatalog,
  hashTables,
  isUnwritten,
} from '../../local/demo/content.ts';
import type { ContentHashes, DatabaseAddress } from '../../local/demo/content.ts';
import { amountOf } from '../../local/demo/history.ts';
import type { WriterHistory } from '../../local/demo/history.ts';
import { startServer } from '../../local/demo/servers.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import { createTenants, planTenant } from '../../local/demo/tenants.ts';
import { Writers } from '../../local/demo/writers.ts';
import { daily } from '../support/daily.ts';

const tenant = planTenant(
  'probe',
  { shop: 1, telemetry: 0, search: 0, archive: 0, clinic: 0, booking: 0, reports: 0, quoted: 0, counters: 0 },
  { database: 'The "probe" dätabase', owner: 'its owner' },
);

const folder = mkdtempSync(path.join(tmpdir(), 'drayage-audit-'));
let server: PostgresServer;
let histories: WriterHistory[];
let longestGapMs: number;
let hashesBefore: ContentHashes;
let catalogBefore: string[];

const at = (database: string): DatabaseAddress => ({ ...server.address, database });

beforeAll(async () => {
  chmodSync(folder, 0o755);
  server = await startServer({ name: 'a', folder });
  await createTenants(server, [tenant]);
  hashesBefore = await hashTables(at(tenant.database), isUnwritten);
  catalogBefore = await describeCatalog(at(tenant.database));

  const { host, port } = server.address;
  const writers = new Writers([tenant], {
    locate: () => Promise.resolve({ host, port, database: tenant.database }),
    perTenant: 4,
    rate: 100,
  });
  const begun = performance.timeOrigin + performance.now();
  const linesReach = async (lines: number): Promise<void> => {
    while ((writers.tally()[0]?.lines ?? 0) < lines) await sleep(20);
  };
  await linesReach(100);
  await server.restart({ mode: 'fast' });
  await linesReach(200);
  await server.restart({ mode: 'immediate' });
  await linesReach(300);
  await server.kill();
  await server.start();
  await linesReach(400);
  await server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'writer of%'`,
  );
  await linesReach(500);
  longestGapMs = Math.max(...writers.longestGaps('probe', begun).map((gap) => gap.ms));
  histories = (await writers.stop()).get('probe') ?? [];
  // A server that was killed empties its unlogged tables; what is in them otherwise is looked at too.
  await server.query(
    `INSERT INTO counters.cache (key, value) SELECT 'k' || n, decode(md5(n::text), 'hex') FROM generate_series(1, 200) n`,
    tenant.database,
  );
}, 120_000);

afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Audits a copy of the database with which somebody has tampered. */
async function auditAfter(tampering: string): Promise<LedgerAudit> {
  return onCopy(tampering, (address) => auditLedger(address, histories));
}

let copies = 0;
async function onCopy<T>(tampering: string, look: (address: DatabaseAddress) => Promise<T>): Promise<T> {
  copies += 1;
  const copy = `copy ${copies.toString()}`;
  await server.query(`CREATE DATABASE "${copy}" TEMPLATE "${tenant.database.replaceAll('"', '""')}"`);
  await server.query(tampering, copy);
  const result = await look(at(copy));
  await server.query(`DROP DATABASE "${copy}" WITH (FORCE)`);
  return result;
}

/** A line that is older than what the forgetful tables keep, and one that is newer. */
const oldLine = 5;
const lastLine = (): number => histories.find((history) => history.writer === 2)?.lines ?? 0;
/** Notes are of even lines, tasks of odd ones. */
const lastNote = (): number => lastLine() - (lastLine() % 2);
const lastTask = (): number => lastLine() - 1 + (lastLine() % 2);

describe('live writers on a server that is restarted, stopped at once, killed, and cuts its sessions', () => {
  test('go on after each, and know of every line whether it is committed', () => {
    expect(histories).toHaveLength(4);
    for (const history of histories) {
      expect(history.lines).toBeGreaterThan(lastLine() / 4);
      expect(history.unresolved).toBeUndefined();
      expect(history.denied).toEqual([]);
    }
    expect(longestGapMs).toBeGreaterThan(100);
  });

  test('an untouched ledger is sound', async () => {
    const audit = await auditLedger(at(tenant.database), histories);
    expect(audit.findings).toEqual([]);
    expect(audit.faults).toEqual([]);
    expect(isSound(audit)).toBe(true);
    expect(audit.acknowledged).toBeGreaterThanOrEqual(500);
  });

  test('what nobody writes to has the same hash and the same catalog as before', async () => {
    const hashes = await hashTables(at(tenant.database), isUnwritten);
    expect(hashes.size).toBeGreaterThanOrEqual(40);
    expect(compareContent(hashesBefore, hashes)).toEqual([]);
    expect(compareCatalogs(catalogBefore, await describeCatalog(at(tenant.database)))).toEqual([]);
  });
});

describe('the audit finds', () => {
  test('a line that is gone from the ledger', async () => {
    const audit = await auditAfter(
      `DELETE FROM ledger.entry WHERE writer = 2 AND seq = ${oldLine.toString()}`,
    );
    expect(audit).toMatchObject({ lost: 1, duplicated: 0, reordered: 0, altered: 0 });
    expect(audit.findings[0]).toContain('writer 2, line 5: lost');
  });

  test('the last lines gone, as a target that was not flushed loses them', async () => {
    const audit = await auditAfter(
      `DELETE FROM ledger.entry WHERE writer = 2 AND seq > ${(lastLine() - 3).toString()}`,
    );
    expect(audit.lost).toBe(3);
  });

  test('a counter that fell back', async () => {
    const audit = await auditAfter('UPDATE ledger.counter SET seq = seq - 1 WHERE writer = 2');
    expect(audit.lost).toBe(1);
  });

  test('a line that was applied twice', async () => {
    const audit = await auditAfter(
      `INSERT INTO ledger.entry (writer, seq, amount, body) SELECT writer, seq, amount, body FROM ledger.entry WHERE writer = 2 AND seq = 5`,
    );
    expect(audit).toMatchObject({ lost: 0, duplicated: 1, reordered: 0, altered: 0 });
  });

  test('a row without a key that was applied twice', async () => {
    const audit = await auditAfter(
      `INSERT INTO ledger.note SELECT * FROM ledger.note WHERE writer = 2 AND seq = ${lastNote().toString()}`,
    );
    expect(audit).toMatchObject({ lost: 0, duplicated: 1, altered: 0 });
  });

  test('an update of a row without a key that was not applied', async () => {
    const audit = await auditAfter(
      `UPDATE ledger.note SET revised = false WHERE writer = 2 AND seq = ${(lastNote() - 2).toString()}`,
    );
    expect(audit).toMatchObject({ lost: 0, duplicated: 0, altered: 1 });
  });

  test('a delete that was not applied', async () => {
    const audit = await auditAfter(`INSERT INTO ledger.note VALUES (2, 4, ledger.words(2, 4), true)`);
    expect(audit.duplicated).toBe(1);
  });

  test('two lines that changed places', async () => {
    const audit = await auditAfter(
      `UPDATE ledger.entry SET seq = 11 - seq, amount = CASE seq WHEN 5 THEN ${amountOf(2, 6).toString()} ELSE ${amountOf(2, 5).toString()} END, body = ledger.words(2, 11 - seq) WHERE writer = 2 AND seq IN (5, 6)`,
    );
    expect(audit).toMatchObject({ lost: 0, duplicated: 0, reordered: 1, altered: 0 });
  });

  test('an amount that was changed', async () => {
    const audit = await auditAfter(
      'UPDATE ledger.entry SET amount = amount + 1 WHERE writer = 2 AND seq = 5',
    );
    expect(audit.altered).toBe(1);
  });

  test('a row that stayed in the partition that it should have left', async () => {
    const line = (lastTask() - 6).toString();
    const audit = await auditAfter(
      `UPDATE ledger.task SET state = 'open' WHERE writer = 2 AND seq = ${line}`,
    );
    expect(audit.altered).toBe(1);
  });
});

describe('a copy with which nobody tampered', () => {
  test('is sound and equal', async () => {
    await onCopy('SELECT', async (address) => {
      expect(isSound(await auditLedger(address, histories))).toBe(true);
      expect(compareContent(hashesBefore, await hashTables(address, isUnwritten))).toEqual([]);
      const differences = compareCatalogs(catalogBefore, await describeCatalog(address));
      expect(differences.filter((line) => !ofTheDatabaseItself.test(line))).toEqual([]);
    });
  });
});

/** Owner, comment and grants of a database do not travel with a copy of it. */
const ofTheDatabaseItself = /^(gone|new): (grant )?database /;

describe('the comparison of contents finds', () => {
  const differencesAfter = (tampering: string): Promise<string[]> =>
    onCopy(tampering, async (address) =>
      compareContent(hashesBefore, await hashTables(address, isUnwritten)),
    );

  test.each([
    [
      'a row missing from a table that nobody writes to',
      `DELETE FROM shop.order_line WHERE (order_id, line) = (7, 3)`,
      /^shop\.order_line has \d+ rows, not \d+$/,
    ],
    [
      'a value changed',
      `UPDATE shop.product SET price = price + 0.01 WHERE sku = 'PR-7'`,
      /^shop\.product has other rows/,
    ],
    [
      'a row twice in a table without a key',
      `INSERT INTO archive.access_log SELECT * FROM archive.access_log LIMIT 1`,
      /^archive\.access_log has/,
    ],
    ['an unlogged table that arrived empty', `TRUNCATE counters.cache`, /^counters\.cache has 0 rows/],
    [
      'a large object that is gone',
      `SELECT lo_unlink((SELECT min(content) FROM archive.file))`,
      /^large objects has/,
    ],
    [
      'a large object with another byte',
      `SELECT lo_put((SELECT min(content) FROM archive.file), 9000, '\\x00')`,
      /^large objects has other rows/,
    ],
    [
      'a sequence that stayed behind',
      `SELECT setval('counters.cached', 1, false)`,
      /^counters\.cached has other rows/,
    ],
    [
      'a materialized view that was not filled',
      `REFRESH MATERIALIZED VIEW reports.by_year WITH NO DATA`,
      /^reports\.by_year has/,
    ],
    [
      'a row in another partition',
      `UPDATE telemetry.reading SET region = 'us' WHERE ctid = '(0,1)' AND tableoid = 'telemetry.reading_2024_01_eu'::regclass`,
      /^telemetry\.reading_2024_01_/,
    ],
    [
      'a table that was left behind',
      `CREATE TABLE public.left_behind ()`,
      /^public\.left_behind was not there before/,
    ],
    ['a table that is missing', `DROP TABLE quoted_table_holder`, /is missing/],
  ])('%s', async (_, tampering, finding) => {
    const sql = tampering.replace('quoted_table_holder', '"Ünï ""q"" schema"."no key; DROP TABLE x --"');
    const differences = await differencesAfter(sql);
    expect(differences.some((difference) => finding.test(difference))).toBe(true);
  });
});

describe('the comparison of catalogs finds', () => {
  const tamperings: readonly (readonly [string, string])[] = [
    ['a missing index', `DROP INDEX shop.line_sku`],
    ['a disabled trigger', `ALTER TABLE shop.customer_order DISABLE TRIGGER remember_state`],
    ['a missing policy', `DROP POLICY read_one_ward ON clinic.patient`],
    ['another owner', `ALTER TABLE shop.product OWNER TO postgres`],
    ['a grant that is gone', `REVOKE SELECT ON clinic.visit FROM "its owner reader"`],
    [
      'a default privilege that is gone',
      `ALTER DEFAULT PRIVILEGES FOR ROLE "its owner" REVOKE USAGE ON SEQUENCES FROM "its owner clerk"`,
    ],
    ['a foreign key that is gone', `ALTER TABLE shop.order_line DROP CONSTRAINT order_line_sku_fkey`],
    ['a replica identity that was left changed', `ALTER TABLE ledger.note REPLICA IDENTITY FULL`],
    ['a comment that is gone', `COMMENT ON COLUMN clinic.patient.diagnosis IS NULL`],
    ['a publication that was left behind', `CREATE PUBLICATION left_behind`],
    ['another sequence setting', `ALTER SEQUENCE counters.round NO CYCLE`],
  ];
  const telling = [
    'a missing index',
    'a disabled trigger',
    'a grant that is gone',
    'another sequence setting',
  ];
  test.each(daily(tamperings, ([what]) => telling.includes(what)))('%s', async (_, tampering) => {
    const differences = await onCopy(tampering, async (address) =>
      compareCatalogs(catalogBefore, await describeCatalog(address)),
    );
    expect(differences.filter((line) => !ofTheDatabaseItself.test(line))).not.toEqual([]);
  });
});
