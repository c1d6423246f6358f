import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { startServer } from '../../local/demo/servers.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import type { HostSite, MoveSession } from '../../shared/ports/driver.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { closing, failureCode, MoveTrial } from '../support/move-trial.ts';
import { longTest } from '../support/daily.ts';

const folder = mkdtempSync(join(tmpdir(), 'postgres-settle-'));
let source: PostgresServer;
let target: PostgresServer;
let databases = 0;

beforeAll(async () => {
  await chmod(folder, 0o755);
  [source, target] = await Promise.all([
    startServer({ name: 'a', folder }),
    // A target that puts off all that it is not asked to make durable, as long as it can.
    startServer({ name: 'b', folder, settings: { synchronous_commit: 'off', wal_writer_delay: '10s' } }),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([source.remove(), target.remove()]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('a move in its cutover', () => {
  test('settle does not end before the last write is on the target', async () => {
    const trial = await prepared();
    await using session = closing(trial.worker(postgresDriver, 1));
    const worker = await stopApplying(trial, session.of);
    try {
      expect(await failureCode(trial.take(session.of, 'settle'))).toBe('tail-not-applied');
    } finally {
      process.kill(worker, 'SIGCONT');
    }
  });

  longTest('the schema is found to be another than the one that was copied', async () => {
    const trial = await prepared();
    await using session = closing(trial.worker(postgresDriver, 1));
    await session.of.predictPause();
    await source.query('CREATE TABLE late (id int PRIMARY KEY)', trial.database);
    await trial.runOn(session.of, 'fence', 'settle');
    expect(await failureCode(trial.take(session.of, 'confirm'))).toBe('schema-changed');
  });

  longTest('a sequence that somebody has moved on the target is found', async () => {
    const trial = await prepared();
    await using session = closing(trial.worker(postgresDriver, 1));
    await trial.runOn(session.of, 'fence', 'settle');
    await enterClosed(trial, `SELECT setval('numbers', 7)`);
    expect(await failureCode(trial.take(session.of, 'confirm'))).toBe('sequences-differ');
  });

  test('sequences go on at the target where the source left them', async () => {
    const trial = await prepared();
    await using session = closing(trial.worker(postgresDriver, 1));
    await source.query(`SELECT setval('numbers', 4711)`, trial.database);
    await trial.runOn(session.of, 'fence', 'open');
    expect(await one(target, trial.database, `SELECT nextval('numbers')::int AS n`)).toBe(4712);
  });

  test('a row that the online comparison left in doubt is looked at again, and ends the move if it is lost', async () => {
    const trial = await begun();
    await using session = closing(trial.worker(postgresDriver, 1));
    await trial.runOn(session.of, 'provision', 'catchUp');
    await target.query('DELETE FROM writes WHERE seq = 3', trial.database);
    await trial.runOn(session.of, 'verify', 'settle');
    expect(await failureCode(trial.take(session.of, 'confirm'))).toBe('content-differs');
  });

  // The last ones: they end servers.
  test('a slot goes from the source also when the target is down: nothing else would ever read from it', async () => {
    const trial = await prepared();
    const slots = `SELECT count(*)::int AS n FROM pg_replication_slots WHERE database = current_database()`;
    expect(await one(source, trial.database, slots)).toBe(1);
    await target.stop();
    await using session = closing(trial.worker(postgresDriver, 1));
    await expect(session.of.dropReplication()).rejects.toMatchObject({ verdict: 'host-down' });
    expect(await one(source, trial.database, slots)).toBe(0);
    await target.start();
  });

  longTest(
    'what settle has ended with survives a crash of the target, also when the source is gone',
    async () => {
      const trial = await prepared();
      await using session = closing(trial.worker(postgresDriver, 1));
      const worker = await stopApplying(trial, session.of);
      process.kill(worker, 'SIGCONT');
      await trial.take(session.of, 'settle');
      // Nothing is there any more that would send the last changes again.
      await Promise.all([source.stop({ mode: 'immediate' }), target.stop({ mode: 'immediate' })]);
      await target.start();
      await openUp(trial);
      expect(await one(target, trial.database, 'SELECT count(*)::int AS n FROM writes')).toBe(205);
    },
  );
});

async function begun(): Promise<MoveTrial> {
  databases += 1;
  const database = `settle ${String(databases)}`;
  await source.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
  await source.query(
    `CREATE TABLE writes (seq int PRIMARY KEY);
     CREATE SEQUENCE numbers;
     INSERT INTO writes SELECT generate_series(1, 5)`,
    database,
  );
  const trial = new MoveTrial(
    { source: siteOf('a', source), target: siteOf('b', target) },
    database,
    'settle',
  );
  await trial.run(postgresDriver, 1, 'preflight', 'preflight');
  return trial;
}

/** All is copied and compared. */
async function prepared(): Promise<MoveTrial> {
  const trial = await begun();
  await trial.run(postgresDriver, 1, 'provision', 'verify');
  return trial;
}

/** Freezes the source while two hundred writes of its clients are still to be applied. @returns the worker's process */
async function stopApplying(trial: MoveTrial, session: MoveSession): Promise<number> {
  await session.predictPause();
  const worker = await one(
    target,
    trial.database,
    `SELECT pid AS n FROM pg_stat_subscription s JOIN pg_database d ON d.datname = current_database()
       JOIN pg_subscription p ON p.oid = s.subid AND p.subdbid = d.oid WHERE s.relid IS NULL AND pid IS NOT NULL`,
  );
  process.kill(worker, 'SIGSTOP');
  await source.query('INSERT INTO writes SELECT generate_series(1001, 1200)', trial.database);
  await trial.take(session, 'fence');
  return worker;
}

/** As somebody who may do everything comes into a database that is closed. */
async function enterClosed(trial: MoveTrial, sql: string): Promise<void> {
  await openUp(trial);
  await target.query(sql, trial.database);
}

async function openUp({ database }: MoveTrial): Promise<void> {
  await target.query(`ALTER DATABASE ${pg.escapeIdentifier(database)} WITH ALLOW_CONNECTIONS true`);
}

async function one(server: PostgresServer, database: string, sql: string): Promise<number> {
  const client = await server.connect(database);
  try {
    const { rows } = await client.query(sql);
    return z.tuple([z.object({ n: z.int() })]).parse(rows)[0].n;
  } finally {
    await client.end();
  }
}

function siteOf(name: string, { address }: PostgresServer): HostSite {
  const place = `127.0.0.1:${String(address.port)}`;
  return {
    host: hostName(name),
    url: `postgres://${address.user}@${place}/postgres`,
    replicationAddress: place,
    password: address.password,
    networks: anyNetwork,
    options: {},
  };
}
