import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auditLedger } from '../../local/demo/audit.ts';
import { compareContent, hashTables, isUnwritten } from '../../local/demo/content.ts';
import { startServer } from '../../local/demo/servers.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import { createRoles, createTenants, planTenant } from '../../local/demo/tenants.ts';
import { Writers } from '../../local/demo/writers.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import type { HostSite } from '../../shared/ports/driver.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { daily } from '../support/daily.ts';
import { closing, MoveTrial } from '../support/move-trial.ts';

/** Every kind of object, and tables large enough to be copied before their keys. */
const pieces = {
  shop: 6,
  booking: 1,
  search: 2,
  telemetry: 1,
  archive: 1,
  quoted: 1,
} as const;

const all = [
  [15, 18],
  [18, 18],
] as const;
const majors = daily(all, ([from]) => from === 15);

describe.each(majors)('a whole move from PostgreSQL %i to %i while tenants write', (from, to) => {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-move-'));
  let source: PostgresServer;
  let target: PostgresServer;

  beforeAll(async () => {
    await chmod(folder, 0o755);
    [source, target] = await Promise.all([
      startServer({ name: 'a', folder, binaries: from }),
      startServer({ name: 'b', folder, binaries: to }),
    ]);
  }, 120_000);

  afterAll(async () => {
    await Promise.all([source.remove(), target.remove()]);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test('loses, doubles and reorders nothing, and every table is equal', async () => {
    const tenant = planTenant('shop', pieces, { database: `Shop "${String(from)}" ö` });
    await createTenants(source, [tenant]);
    await createRoles(target, [tenant]);
    const { database } = tenant;
    let serving = source;
    const writers = new Writers([tenant], {
      locate: () => Promise.resolve({ host: '127.0.0.1', port: serving.address.port, database }),
      perTenant: 4,
      rate: 20,
    });
    const at = (server: PostgresServer): Parameters<typeof hashTables>[0] => ({
      ...server.address,
      database,
    });
    const before = await hashTables(at(source), isUnwritten);
    const trial = new MoveTrial(
      { source: siteOf('a', source, {}), target: siteOf('b', target, {}) },
      database,
      'live',
    );
    await trial.run(postgresDriver, 1, 'preflight', 'preflight');
    {
      await using session = closing(trial.worker(postgresDriver, 1));
      await trial.runOn(session.of, 'provision', 'copy');
      await trial.runOn(session.of, 'catchUp', 'verify');
      const found = await postgresDriver.findResidue(trial.sites.source, 'live');
      const slots = found.filter(({ item }) => item.kind === 'slot');
      expect(slots).toHaveLength(1);
      expect(slots[0]?.retainedBytes).toBeGreaterThan(0);
      await session.of.predictPause();
      await trial.runOn(session.of, 'fence', 'open');
      serving = target;
      await trial.runOn(session.of, 'probe', 'release');
      await delay(1000);
      await session.of.retire(trial.retained);
    }
    const histories = (await writers.stop()).get('shop') ?? [];
    const audit = await auditLedger(at(target), histories);
    expect(audit).toMatchObject({ lost: 0, duplicated: 0, reordered: 0, altered: 0, faults: [] });
    expect(audit.acknowledged).toBeGreaterThan(0);
    expect(compareContent(before, await hashTables(at(target), isUnwritten))).toEqual([]);
    for (const site of [trial.sites.source, trial.sites.target]) {
      expect(await postgresDriver.findResidue(site, 'live')).toEqual([]);
    }
  }, 300_000);
});

function siteOf(name: string, { address }: PostgresServer, options: HostSite['options']): HostSite {
  const place = `127.0.0.1:${String(address.port)}`;
  return {
    host: hostName(name),
    url: `postgres://${address.user}@${place}/postgres`,
    replicationAddress: place,
    password: address.password,
    networks: anyNetwork,
    options,
  };
}
