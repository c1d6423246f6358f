import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { chown, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { StepFailure } from '../../shared/domain/failure.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { siteAddress } from '../../shared/drivers/postgres/address.ts';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import { quoteIdentifier } from '../../shared/drivers/postgres/identifiers.ts';
import { runPreflight } from '../../shared/drivers/postgres/preflight/preflight.ts';
import type { PreflightInput } from '../../shared/drivers/postgres/preflight/preflight.ts';
import { preflightReport } from '../../shared/drivers/postgres/preflight/report.ts';
import type { PreflightReport } from '../../shared/drivers/postgres/preflight/report.ts';
import { copyRoles, readNeededRoles } from '../../shared/drivers/postgres/roles.ts';
import { connect } from '../../shared/drivers/postgres/connection.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { certify } from '../support/certificate.ts';
import { nastyRoles, nastyRows, nastySchema } from '../support/nasty-schema.ts';
import { startScratch } from '../support/scratch-postgres.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';
import { listenOnLoopback } from '../support/loopback.ts';

const countsRow = z.object({ counts: z.string() });
const workMem = z.object({ work_mem: z.string() });

let source: ScratchServer;
let target: ScratchServer;
let old: ScratchServer;
let admin: Session;
let targetAdmin: Session;
let next = 0;
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [source, target, old] = await Promise.all([
    startScratch(16, { max_prepared_transactions: '5' }),
    startScratch(18),
    startScratch(15, { wal_level: 'replica' }),
  ]);
  admin = await source.session();
  targetAdmin = await target.session();
}, 120_000);

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

afterAll(async () => {
  await Promise.all([admin.close(), targetAdmin.close()]);
  await Promise.all([source.stop(), target.stop(), old.stop()]);
});

/** A database of its own on the source, made by `sql`. */
async function database(sql: string | readonly string[], server = source): Promise<string> {
  next += 1;
  const name = `shop ${String(next)}`;
  const maintenance = await server.session();
  await maintenance.execute(`CREATE DATABASE ${quoteIdentifier(name)}`);
  const session = await server.session(name, { settings: { search_path: 'public' } });
  for (const part of [sql].flat()) await session.execute(part);
  await session.close();
  undo.push(async () => {
    await maintenance.execute(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`);
    await maintenance.close();
  });
  return name;
}

async function look(name: string, change: Partial<PreflightInput> = {}): Promise<PreflightReport> {
  const report = await runPreflight({
    source: source.address,
    target: target.address,
    sourceMaintenance: 'postgres',
    targetMaintenance: 'postgres',
    database: name,
    targetDatabase: name,
    applicationName: 'test/preflight',
    replication: { host: source.address.host, port: source.address.port, tls: 'disable' },
    replicationRole: 'dray_test_role',
    roles: 'require',
    offline: 'refuse',
    ownPrefix: 'dray_test_',
    tokenSchema: 'drayage_test',
    ...change,
  });
  // It has to survive being stored.
  return preflightReport.parse(JSON.parse(JSON.stringify(report)));
}

const blockers = (report: PreflightReport): string[] =>
  report.findings.filter(({ severity }) => severity === 'blocker').map(({ code }) => code);
const codes = (report: PreflightReport): string[] => report.findings.map(({ code }) => code);
const keyed = 'CREATE TABLE t (id int PRIMARY KEY);';

describe('what does not stand in the way', () => {
  test('an ordinary database has no blocker, and what must be restored later is recorded', async () => {
    const name = await database(keyed);
    await admin.execute(`ALTER DATABASE ${quoteIdentifier(name)} CONNECTION LIMIT 17`);
    const report = await look(name);
    expect(blockers(report)).toEqual([]);
    expect(report.mode).toBe('online');
    expect(report.facts).toMatchObject({
      attributes: { allowConnections: true, connectionLimit: 17, owner: 'postgres' },
      tables: 1,
      superuser: { source: true, target: true },
    });
    expect(report.facts?.systemIdentifier).not.toBe(report.facts?.targetSystemIdentifier);
  });

  test('nothing is changed on any host', async () => {
    const name = await database(keyed);
    const state = async (): Promise<string[]> => {
      const inside = await source.session(name);
      const counts = await Promise.all(
        [inside, admin, targetAdmin].map(async (session) => {
          const row = await session.one(
            `SELECT concat((SELECT count(*) FROM pg_class), '/', (SELECT count(*) FROM pg_database), '/',
                           (SELECT count(*) FROM pg_roles), '/', (SELECT count(*) FROM pg_subscription), '/',
                           (SELECT count(*) FROM pg_replication_slots), '/', (SELECT count(*) FROM pg_namespace)) AS counts`,
            [],
            countsRow,
          );
          return row.counts;
        }),
      );
      await inside.close();
      return counts;
    };
    const before = await state();
    await look(name);
    expect(await state()).toEqual(before);
  });

  test('the nasty schema is refused only for the table that truly cannot be replicated', async () => {
    for (const session of [admin, targetAdmin]) await session.execute(nastyRoles);
    const roles = ['"Own er"', 'reader', '"grüppe"'];
    undo.push(async () => {
      for (const session of [admin, targetAdmin]) await session.execute(`DROP ROLE ${roles.join(', ')}`);
    });
    const name = await database([nastySchema, nastyRows]);
    const report = await look(name);
    expect(blockers(report)).toEqual(['key-missing']);
    expect(report.findings.find(({ code }) => code === 'key-missing')?.object).toBe('"public"."no_key_json"');
    expect(report.facts?.identities.map((one) => one.name).sort()).toEqual([
      'bookings',
      'no_columns',
      'no_key',
    ]);
    expect(codes(report)).toEqual(
      expect.arrayContaining(['unlogged-copied', 'large-objects-copied', 'always-triggers']),
    );
  });
});

describe('hosts', () => {
  test('a wrong password is a blocker with its cure, not an exception', async () => {
    const report = await look('x', { source: { ...source.address, password: 'wrong' } });
    expect(report.findings).toMatchObject([{ code: 'wrong-password', severity: 'blocker' }]);
    expect(JSON.stringify(report)).not.toContain('wrong"');
    expect(report.facts).toBeUndefined();
  });

  test('a host that does not answer is thrown as down: its state is unknown', async () => {
    const failed = await look('x', { target: { ...target.address, port: 1 } }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(StepFailure);
    expect(failed).toMatchObject({ verdict: 'host-down', failure: { code: 'host-unreachable' } });
  });

  test('a database that is not there, and one that already is on the target', async () => {
    expect(blockers(await look('nowhere'))).toEqual(['database-missing']);
    const name = await database(keyed);
    expect(blockers(await look(name, { targetDatabase: 'postgres' }))).toEqual(['target-database-exists']);
  });

  test('source and target are the same server', async () => {
    const name = await database(keyed);
    expect(blockers(await look(name, { target: source.address, targetDatabase: 'other' }))).toContain(
      'same-server',
    );
  });

  test('the target is older than the source', async () => {
    const name = await database(keyed);
    expect(blockers(await look(name, { target: old.address }))).toContain('target-older');
  });

  test('without logical WAL the move is refused, or goes offline if the policy allows it', async () => {
    const name = await database(keyed, old);
    const from = { source: old.address, replication: { ...old.address } };
    expect(blockers(await look(name, from))).toEqual(['wal-level']);
    const allowed = await look(name, { ...from, offline: 'allow' });
    expect(blockers(allowed)).toEqual([]);
    expect(allowed.mode).toBe('offline');
  });
});

describe('the way from the target to the source', () => {
  test('a closed port is found from the target itself', async () => {
    const name = await database(keyed);
    const report = await look(name, { replication: { host: '127.0.0.1', port: 1, tls: 'disable' } });
    expect(blockers(report)).toEqual(['source-unreachable-from-target']);
  });

  test('something that is no PostgreSQL is not taken for the source', async () => {
    const name = await database(keyed);
    const impostor = createServer((socket) => socket.destroy());
    const port = await listenOnLoopback(impostor);
    undo.push(async () => new Promise((resolve) => impostor.close(resolve)));
    const report = await look(name, { replication: { host: '127.0.0.1', port, tls: 'disable' } });
    expect(blockers(report)).toEqual(['source-unreachable-from-target']);
  });
});

describe('what the database holds', () => {
  test.each([
    ['a table without key whose columns cannot be compared', 'CREATE TABLE t (a json);', 'key-missing'],
    ['a domain over such a type', 'CREATE DOMAIN d AS xml; CREATE TABLE t (a d);', 'key-missing'],
    ['a row type with such a column', 'CREATE TYPE c AS (p point); CREATE TABLE t (a c);', 'key-missing'],
    ['an array of such a type', 'CREATE TABLE t (a json[]);', 'key-missing'],
  ])('%s is refused', async (_, sql, code) => {
    expect(blockers(await look(await database(sql)))).toEqual([code]);
  });

  test('a deferrable primary key is no replica identity: it gets FULL, recorded', async () => {
    const report = await look(await database('CREATE TABLE t (a int PRIMARY KEY DEFERRABLE);'));
    expect(blockers(report)).toEqual([]);
    expect(report.facts?.identities).toEqual([{ schema: 'public', name: 't', was: 'd' }]);
  });

  test('large tables without key, large unlogged tables and large objects are refused above their limits', async () => {
    const name = await database(`
      CREATE TABLE keyless AS SELECT i, repeat('x', 200) AS v FROM generate_series(1, 1000) i;
      CREATE UNLOGGED TABLE quick AS SELECT i, repeat('x', 200) AS v FROM generate_series(1, 1000) i;
      SELECT lo_from_bytea(0, decode(repeat('ab', 100000), 'hex'));`);
    const report = await look(name, {
      limits: { keylessBytes: 1000, leftoverBytes: 1000, leftoverCount: 10 },
    });
    expect(blockers(report).sort()).toEqual(['key-missing-large', 'large-objects', 'unlogged-large']);
    expect(blockers(await look(name))).toEqual([]);
  });

  test('an extension that the target does not have', async () => {
    const name = await database('CREATE EXTENSION adminpack WITH SCHEMA pg_catalog;');
    const report = await look(name);
    expect(blockers(report)).toEqual(['extension-missing']);
    expect(report.findings.find(({ code }) => code === 'extension-missing')?.object).toBe('adminpack');
  });

  test('a tablespace that the target does not have', async () => {
    const name = await database(keyed);
    await admin.execute('SET allow_in_place_tablespaces = on');
    await admin.execute(`CREATE TABLESPACE fast LOCATION ''`);
    undo.push(async () => admin.execute('DROP TABLESPACE fast'));
    const inside = await source.session(name);
    await inside.execute('CREATE TABLE public.quick (a int PRIMARY KEY) TABLESPACE fast');
    undo.push(async () => {
      const last = await source.session(name);
      await last.execute('DROP TABLE public.quick');
      await last.close();
    });
    await inside.close();
    expect(blockers(await look(name))).toContain('tablespace-missing');
  });

  test('a slot, a subscription and a prepared transaction of somebody else', async () => {
    const name = await database(`${keyed} CREATE PUBLICATION p;`);
    const inside = await source.session(name);
    await inside.execute(`SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')`);
    await inside.execute(
      `CREATE SUBSCRIPTION su CONNECTION 'host=x' PUBLICATION p WITH (connect = false, slot_name = NONE)`,
    );
    await inside.execute('BEGIN; INSERT INTO public.t VALUES (1)');
    await inside.execute(`PREPARE TRANSACTION 'theirs too'`);
    undo.push(async () => {
      await inside.execute(`ROLLBACK PREPARED 'theirs too'`);
      await inside.execute('DROP SUBSCRIPTION su');
      await inside.execute(`SELECT pg_drop_replication_slot('theirs')`);
      await inside.close();
    });
    expect(blockers(await look(name)).sort()).toEqual([
      'prepared-transaction',
      'slot-exists',
      'subscription-exists',
    ]);
  });
});

describe('capacity', () => {
  test('no free slot is a blocker that names the setting', async () => {
    const name = await database(keyed);
    const inside = await source.session(name);
    for (let slot = 0; slot < 10; slot += 1) {
      await admin.execute(`SELECT pg_create_physical_replication_slot('dray_test_${String(slot)}')`);
    }
    undo.push(async () => {
      await inside.close();
      await admin.execute('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    });
    const report = await look(name);
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        code: 'capacity',
        severity: 'blocker',
        sentence: expect.stringContaining('max_replication_slots'),
      }),
    );
  });
});

describe('roles and privileges', () => {
  test('owners, grantees and roles of policies have to be on the target; members are a warning', async () => {
    await admin.execute(
      'CREATE ROLE owner1; CREATE ROLE grantee1; CREATE ROLE policy1; CREATE ROLE login1 LOGIN; GRANT grantee1 TO login1',
    );
    const name = await database(`${keyed} ALTER TABLE t OWNER TO owner1; CREATE TABLE u (id int PRIMARY KEY);
      GRANT SELECT ON u TO grantee1; CREATE POLICY p ON u TO policy1 USING (true);`);
    undo.unshift(async () => admin.execute('DROP ROLE owner1, grantee1, policy1, login1'));
    const report = await look(name);
    const missing = report.findings.filter(({ code }) => code === 'role-missing').map(({ object }) => object);
    expect(missing.sort()).toEqual(['grantee1', 'owner1', 'policy1']);
    expect(report.findings.find(({ code }) => code === 'member-role-missing')?.object).toBe('login1');
  });

  test('copied roles log in with their old password, and a role that is there is never touched', async () => {
    await admin.execute(`CREATE ROLE seller LOGIN PASSWORD 'old secret' CONNECTION LIMIT 3; CREATE ROLE staff; GRANT staff TO seller;
      CREATE ROLE known LOGIN PASSWORD 'here'; ALTER ROLE seller SET work_mem = '7MB'`);
    await targetAdmin.execute(`CREATE ROLE known NOLOGIN`);
    const name = await database(`${keyed} ALTER TABLE t OWNER TO seller; GRANT SELECT ON t TO staff, known;`);
    undo.unshift(async () => admin.execute('DROP ROLE seller, staff, known'));
    undo.push(async () => targetAdmin.execute('DROP ROLE seller, staff, known'));
    const report = await look(name, { roles: 'copy' });
    expect(blockers(report)).toEqual([]);
    expect(report.findings.find(({ code }) => code === 'role-weaker')?.object).toBe('known');
    const inside = await source.session(name);
    const maker = await target.session();
    const needed = await readNeededRoles(inside);
    expect((await copyRoles(inside, maker, needed)).sort()).toEqual(['seller', 'staff']);
    expect(await copyRoles(inside, maker, needed)).toEqual([]);
    await Promise.all([inside.close(), maker.close()]);
    const seller = await connect(
      { ...target.address, user: 'seller', password: 'old secret' },
      { database: 'postgres', applicationName: 'seller', lockTimeoutMs: 100 },
    );
    expect(await seller.query('SHOW work_mem', [], workMem)).toEqual([{ work_mem: '7MB' }]);
    await seller.close();
    const refused = await connect(
      { ...target.address, user: 'known', password: 'here' },
      { database: 'postgres', applicationName: 'known', lockTimeoutMs: 100 },
    ).catch((error: unknown) => error);
    expect(refused).toMatchObject({ verdict: 'fail' });
  });

  test('a superuser role is never copied', async () => {
    await admin.execute('CREATE ROLE boss SUPERUSER');
    const name = await database(`${keyed} ALTER TABLE t OWNER TO boss;`);
    undo.unshift(async () => admin.execute('DROP ROLE boss'));
    expect(blockers(await look(name, { roles: 'copy' }))).toEqual(['role-powerful']);
  });

  test('a plain role is told every privilege that it lacks, and none once it has them', async () => {
    const plain = `CREATE ROLE mover LOGIN PASSWORD 'm'; CREATE ROLE tenant;`;
    for (const session of [admin, targetAdmin]) await session.execute(plain);
    const name = await database(`${keyed} ALTER TABLE t OWNER TO tenant;`);
    await admin.execute(`ALTER DATABASE ${quoteIdentifier(name)} OWNER TO tenant`);
    const drop = async (session: Session): Promise<unknown> =>
      session.execute('DROP OWNED BY mover, tenant; DROP ROLE mover, tenant');
    undo.unshift(async () => drop(admin));
    undo.push(async () => drop(targetAdmin));
    const mover = { user: 'mover', password: 'm' };
    const as = {
      source: { ...source.address, ...mover },
      target: { ...target.address, ...mover },
      replicationRole: 'mover',
    };
    const before = await look(name, as);
    const lacks = before.findings
      .filter(({ code }) => code === 'privilege-missing')
      .map(({ sentence }) => sentence);
    for (const word of [
      'CREATEDB',
      'REPLICATION',
      'pg_create_subscription',
      'pg_signal_backend',
      'CREATE on database',
      'tenant',
    ]) {
      expect(lacks.join('\n')).toContain(word);
    }
    await admin.execute(
      `ALTER ROLE mover CREATEDB REPLICATION; GRANT pg_signal_backend, tenant TO mover; GRANT CREATE ON DATABASE postgres TO mover`,
    );
    await targetAdmin.execute(
      `ALTER ROLE mover CREATEDB; GRANT pg_signal_backend, pg_create_subscription, tenant TO mover; GRANT CREATE ON DATABASE postgres TO mover`,
    );
    const after = await look(name, as);
    expect(blockers(after)).toEqual([]);
  });
});

describe('the certificate of a server', () => {
  const { certificate, key } = certify('127.0.0.1');
  /** How a host is looked at that is given so. */
  const lookAt = (host: string, search = '', ca?: string): Promise<unknown> => {
    const { user, password, port } = target.address;
    const replicationAddress = `${host}:${String(port)}`;
    return postgresDriver.describe({
      host: hostName('certified'),
      url: `postgres://${user}@${replicationAddress}/postgres${search}`,
      replicationAddress,
      password,
      networks: anyNetwork,
      options: ca === undefined ? {} : { ca },
    });
  };
  const untrusted = { verdict: 'fail', failure: { code: 'tls-certificate' } };
  const strictly = '?sslmode=verify-full';

  test('is asked for where the url does not say otherwise and the host is not this machine', () => {
    const tlsOf = (url: string): string =>
      siteAddress({
        host: hostName('a'),
        url,
        replicationAddress: 'a',
        password: undefined,
        networks: anyNetwork,
        options: {},
      }).tls;
    expect(tlsOf('postgres://mover@db1.example/postgres')).toBe('verify-full');
    expect(tlsOf('postgres://mover@10.0.0.5/postgres')).toBe('verify-full');
    expect(tlsOf('postgres://mover@127.0.0.1/postgres')).toBe('disable');
  });

  test('must be there, be signed by who is trusted, and name the server; no password is sent before', async () => {
    await expect(lookAt('127.0.0.1', strictly)).rejects.toMatchObject({
      failure: { code: 'tls-unsupported' },
    });
    await offerTls();
    await expect(lookAt('127.0.0.1', strictly)).rejects.toMatchObject(untrusted);
    await expect(lookAt('127.0.0.1', strictly, certify('127.0.0.1').certificate)).rejects.toMatchObject(
      untrusted,
    );
    await expect(lookAt('localhost', strictly, certificate)).rejects.toMatchObject(untrusted);
    await expect(lookAt('127.0.0.1', strictly, certificate)).resolves.toMatchObject({
      version: expect.any(String),
    });
    await expect(lookAt('127.0.0.1', '?sslmode=require')).resolves.toMatchObject({
      version: expect.any(String),
    });
  });

  async function offerTls(): Promise<void> {
    const { uid, gid } = await stat(target.dataFolder);
    for (const [name, text] of [
      ['server.crt', certificate],
      ['server.key', key],
    ] as const) {
      const file = join(target.dataFolder, name);
      await writeFile(file, text, { mode: 0o600 });
      await chown(file, uid, gid);
    }
    await targetAdmin.execute('ALTER SYSTEM SET ssl = on');
    await targetAdmin.execute('SELECT pg_reload_conf()');
    const setting = z.object({ ssl: z.string() });
    while ((await targetAdmin.one('SHOW ssl', [], setting)).ssl !== 'on') await delay(10);
    undo.push(async () => {
      await targetAdmin.execute('ALTER SYSTEM RESET ssl');
      await targetAdmin.execute('SELECT pg_reload_conf()');
    });
  }
});
