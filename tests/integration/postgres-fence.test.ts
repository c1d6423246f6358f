import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import { TokenSuperseded } from '../../shared/domain/failure.ts';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { emptyDatabase } from '../../shared/drivers/postgres/fence/empty.ts';
import { Hands } from '../../shared/drivers/postgres/hands.ts';
import { ensureTokenTable, takeToken, underToken } from '../../shared/drivers/postgres/token.ts';
import type { TokenHolder } from '../../shared/drivers/postgres/token.ts';
import { wholeNumber } from '../../shared/drivers/postgres/values.ts';
import type { HostSite } from '../../shared/ports/driver.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { TrialLedger } from '../support/cleanup-ledger.ts';
import { policy } from '../support/move-trial.ts';
import { startScratch } from '../support/scratch-postgres.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';

const nobody = { pids: [], slots: [] };
const move = moveId('mv_0123456789abcdef');
const patienceMs = 20_000;
let server: ScratchServer;
let operator: Session;
let databases = 0;
let database: string;
let oid: number;

beforeAll(async () => {
  server = await startScratch(18);
  operator = await server.session();
  await ensureTokenTable(operator, 'trial');
}, 60_000);
afterAll(async () => {
  await operator.close();
  await server.stop();
});

beforeEach(async () => {
  databases += 1;
  database = `tenant_${String(databases)}`;
  await operator.execute(`CREATE DATABASE ${database}`);
  oid = await number(operator, `SELECT oid::bigint AS n FROM pg_database WHERE datname = '${database}'`);
  const maker = await server.session(database);
  await maker.execute('CREATE TABLE public.writes (seq int)');
  await maker.close();
});
afterEach(async () => {
  await operator.execute(`DROP DATABASE ${database} WITH (FORCE)`);
});

describe('emptying a closed database', () => {
  test('waits for a session that was starting when the door was closed, and that no list shows', async () => {
    // It holds its lock on the database for two seconds before it appears in the list of sessions.
    const client = new pg.Client({
      ...server.address,
      database,
      ssl: false,
      options: '-c post_auth_delay=2',
    });
    client.on('error', () => undefined);
    const writing = client
      .connect()
      .then(() => client.query('INSERT INTO public.writes VALUES (1)'))
      .catch(() => undefined);
    await until(async () => (await starting()) > 0);
    await operator.execute(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false`);
    expect(await inside()).toBe(0);
    await emptyDatabase(operator, oid, nobody, patienceMs);
    expect(await starting()).toBe(0);
    expect(await inside()).toBe(0);
    const rows = await written();
    await writing;
    await client.end().catch(() => undefined);
    expect(await written()).toBe(rows);
  });

  test('ends only when nobody is inside any more, however long a session takes to end', async () => {
    const session = await server.session(database);
    await operator.execute(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false`);
    process.kill(session.pid, 'SIGSTOP');
    const awake = delay(300).then(() => process.kill(session.pid, 'SIGCONT'));
    await emptyDatabase(operator, oid, nobody, patienceMs);
    expect(await inside()).toBe(0);
    await awake;
    await session.close();
  });

  async function starting(): Promise<number> {
    return await number(
      operator,
      `SELECT count(*) AS n FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass
          AND objid = ${String(oid)} AND pid <> pg_backend_pid()`,
    );
  }
});

describe('the host token', () => {
  test('refuses an older worker whose session nobody has seen, in the transaction of its effect', async () => {
    await takeToken(operator, oid, holder(1));
    await takeToken(operator, oid, holder(2));
    // Opened late, or held up on its way: it is not among the sessions that the newer worker has ended.
    const unseen = await server.session();
    let done = false;
    const effect = underToken(unseen, oid, holder(1), () => {
      done = true;
      return Promise.resolve();
    });
    await expect(effect).rejects.toBeInstanceOf(TokenSuperseded);
    expect(done).toBe(false);
    await unseen.close();
  });

  test('is never lowered', async () => {
    await takeToken(operator, oid, holder(2));
    await expect(takeToken(operator, oid, holder(1))).rejects.toBeInstanceOf(TokenSuperseded);
  });

  test('ends the sessions of an older worker before the newer one goes on', async () => {
    const older = new Hands(job(1), siteOf(), 200);
    const session = await older.inside(oid, 'work');
    await session.execute('BEGIN; INSERT INTO public.writes VALUES (1)');
    await takeToken(operator, oid, holder(2));
    expect(await inside()).toBe(0);
    await expect(session.execute('COMMIT')).rejects.toThrow();
    expect(await written()).toBe(0);
    await older.close();
  });

  test('does not wait for an older worker that was stopped in the middle of an effect', async () => {
    const stopped = new Hands(job(1), siteOf(), 200);
    const held = Promise.withResolvers<undefined>();
    const resting = Promise.withResolvers<undefined>();
    const effect = stopped.underToken(oid, async (tx) => {
      await tx.execute(`ALTER DATABASE ${database} WITH CONNECTION LIMIT 7`);
      held.resolve(undefined);
      await resting.promise;
    });
    await held.promise;
    // It would wait for a lock for ever.
    const patient = await server.session('postgres', { lockTimeoutMs: 0 });
    await takeToken(patient, oid, holder(2));
    resting.resolve(undefined);
    await expect(effect).rejects.toThrow();
    expect(
      await number(operator, `SELECT datconnlimit AS n FROM pg_database WHERE oid = ${String(oid)}`),
    ).toBe(-1);
    await patient.close();
    await stopped.close();
  });

  test('is compared after a session was opened: an older worker gets none to work with', async () => {
    const older = new Hands(job(1), siteOf(), 200);
    await older.hold(oid);
    await takeToken(operator, oid, holder(2));
    await expect(older.inside(oid, 'work')).rejects.toBeInstanceOf(TokenSuperseded);
    expect(await inside()).toBe(0);
    await older.close();
  });

  const holder = (token: number): TokenHolder => ({ installation: 'trial', move, token, epoch: 1 });
});

async function inside(): Promise<number> {
  return await number(operator, `SELECT count(*) AS n FROM pg_stat_activity WHERE datid = ${String(oid)}`);
}

async function written(): Promise<number> {
  await operator.execute(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS true`);
  const session = await server.session(database);
  const rows = await number(session, 'SELECT count(*) AS n FROM public.writes');
  await session.close();
  return rows;
}

async function number(session: Session, sql: string): Promise<number> {
  const { n } = await session.one(sql, [], z.object({ n: wholeNumber }));
  return n;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 2_000; looks += 1) {
    if (await isSo()) return;
    await delay(2);
  }
  throw new Error('it never came to be');
}

function siteOf(): HostSite {
  const { user, port, password } = server.address;
  const address = `127.0.0.1:${String(port)}`;
  return {
    host: hostName('a'),
    url: `postgres://${user}@${address}/postgres`,
    replicationAddress: address,
    password,
    networks: anyNetwork,
    options: {},
  };
}

function job(token: number): ConstructorParameters<typeof Hands>[0] {
  const site = siteOf();
  return {
    installation: 'trial',
    move,
    run: 1,
    endpoint: endpointName('tenant'),
    database,
    source: site,
    target: site,
    token,
    epoch: 1,
    policy,
    recorded: undefined,
    cleanup: new TrialLedger(),
    signal: new AbortController().signal,
    remainingMs: () => 60_000,
    show: () => undefined,
  };
}
