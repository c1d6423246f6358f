import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { auditLedger, isSound } from '../../local/demo/audit.ts';
import type { LedgerAudit } from '../../local/demo/audit.ts';
import type { WriterHistory } from '../../local/demo/history.ts';
import { startServer } from '../../local/demo/servers.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import { createTenants, planTenant } from '../../local/demo/tenants.ts';
import type { Tenant } from '../../local/demo/tenants.ts';
import { WritersProcess } from '../../local/demo/writers-process.ts';

const careful = planTenant('careful', { counters: 0 });
const careless = planTenant('careless', { counters: 0 });
const tenants = [careful, careless];

const folder = mkdtempSync(path.join(tmpdir(), 'drayage-writers-'));
const file = path.join(folder, 'places.json');
const at = new Map<string, PostgresServer>();
let source: PostgresServer;
let target: PostgresServer;
let writers: WritersProcess;
let histories: ReadonlyMap<string, readonly WriterHistory[]>;

function place(tenant: Tenant, server: PostgresServer): void {
  at.set(tenant.name, server);
  const places = tenants.map(({ name, database }) => {
    const { host, port } = (at.get(name) ?? source).address;
    return [name, { host, port, database }];
  });
  writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(places)));
  renameSync(`${file}.new`, file);
}

const linesOf = (tenant: Tenant): number =>
  writers.tally().find((tally) => tally.endpoint === tenant.name)?.lines ?? 0;

async function linesGrow(tenant: Tenant, by: number): Promise<void> {
  const goal = linesOf(tenant) + by;
  while (linesOf(tenant) < goal) await sleep(20);
}

async function until(client: pg.Client, condition: string): Promise<void> {
  while ((await client.query(`SELECT WHERE ${condition}`)).rowCount === 0) await sleep(10);
}

/** Moves the ledger by hand. Who does not wait for the tail moves as fast, and loses what is in it. */
async function moveByHand(tenant: Tenant, waitForTail: boolean): Promise<void> {
  const { name, database } = tenant;
  await createTenants(target, [tenant]);
  const there = await target.connect(database);
  await there.query('TRUNCATE ledger.entry, ledger.counter, ledger.note, ledger.task');
  const here = await source.connect(database);
  await here.query('ALTER TABLE ledger.note REPLICA IDENTITY FULL');
  await here.query(`CREATE PUBLICATION ${name} FOR TABLES IN SCHEMA ledger`);
  await there.query(
    `CREATE SUBSCRIPTION ${name} CONNECTION '${source.url(database)}' PUBLICATION ${name} WITH (slot_name = '${name}')`,
  );
  await until(there, `NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')`);
  if (!waitForTail) {
    await there.query(`ALTER SUBSCRIPTION ${name} DISABLE`);
    await linesGrow(tenant, 40);
  }

  const way = await source.connect();
  await way.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await way.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'writer of ${name}%'`,
  );
  if (waitForTail) {
    const end = await here.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
    await until(
      way,
      `EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn >= '${end.rows[0]?.lsn ?? ''}' AND application_name = '${name}')`,
    );
  }
  const last = await here.query<{ id: string }>('SELECT last_value AS id FROM ledger.entry_id_seq');
  await there.query(`SELECT setval('ledger.entry_id_seq', $1)`, [last.rows[0]?.id]);
  place(tenant, target);
  await Promise.all([here, there, way].map((client) => client.end()));
}

async function audit(tenant: Tenant, server: PostgresServer): Promise<LedgerAudit> {
  return auditLedger({ ...server.address, database: tenant.database }, histories.get(tenant.name) ?? []);
}

beforeAll(async () => {
  chmodSync(folder, 0o755);
  [source, target] = await Promise.all([
    startServer({ name: 'source', folder }),
    startServer({ name: 'target', folder }),
  ]);
  await createTenants(source, tenants);
  for (const tenant of tenants) place(tenant, source);
  writers = await WritersProcess.start(tenants, {
    locator: { module: new URL('demo-locate-by-file.ts', import.meta.url).href, config: { file } },
    perTenant: 3,
    rate: 50,
  });
  for (const tenant of tenants) await linesGrow(tenant, 60);
  await moveByHand(careful, true);
  await moveByHand(careless, false);
  for (const tenant of tenants) await linesGrow(tenant, 60);
  histories = await writers.stop();
}, 120_000);

afterAll(async () => {
  await Promise.all([source.remove(), target.remove()]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('live writers whose database is moved by hand under them', () => {
  test('go on at the target', async () => {
    for (const tenant of tenants) expect(linesOf(tenant)).toBeGreaterThan(120);
    for (const history of [...histories.values()].flat()) expect(history.faults).toEqual([]);
  });

  test('lose nothing when the tail was waited for', async () => {
    const result = await audit(careful, target);
    expect(result.findings).toEqual([]);
    expect(isSound(result)).toBe(true);
    expect(result.acknowledged).toBe(linesOf(careful));
  });

  test('see their lines gone when it was not, and the audit counts them', async () => {
    const result = await audit(careless, target);
    const denied = (histories.get('careless') ?? []).map((history) => history.denied.length);
    expect(denied).toHaveLength(3);
    for (const count of denied) expect(count).toBeGreaterThan(0);
    expect(result.lost).toBe(denied.reduce((sum, count) => sum + count, 0));
  });

  test('are found short at the source, where they do not write any more', async () => {
    await source.query('ALTER DATABASE careful ALLOW_CONNECTIONS true');
    const result = await audit(careful, source);
    expect(result.lost).toBeGreaterThan(40);
  });
});
