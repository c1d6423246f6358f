import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { siteAddress } from '../../shared/drivers/postgres/address.ts';
import { connect, type Session } from '../../shared/drivers/postgres/connection.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import type { HostDriver, HostSite } from '../../shared/ports/driver.ts';
import type { HostPair } from '../support/driver-conformance.ts';
import { closing, failureCode, MoveTrial } from '../support/move-trial.ts';
import { makePair } from '../support/postgres-pair.ts';
import { longTest } from '../support/daily.ts';

let pair: HostPair;
beforeAll(async () => {
  pair = await makePair([18, 18], 'superuser', 'logical');
}, 60_000);
afterAll(async () => {
  await pair.close();
});

/** Its time is over as soon as it begins: one piece of work for each lane. */
const hurried: HostDriver = {
  ...postgresDriver,
  begin: (job) => postgresDriver.begin({ ...job, remainingMs: () => 500 }),
};

async function enter(site: HostSite, database: string): Promise<Session> {
  return await connect(siteAddress(site), { database, applicationName: 'test', lockTimeoutMs: 5_000 });
}

/** A database with a table of three chunks, most of it empty space, and a move of it that is half copied. */
async function halfCopied(): Promise<{ trial: MoveTrial; inside: Session }> {
  const database = await pair.createDatabase(3);
  const inside = await enter(pair.source, database);
  await inside.execute(
    `CREATE TABLE public.wide (id int PRIMARY KEY, filler text) WITH (fillfactor = 10);
     INSERT INTO public.wide SELECT i, repeat('x', 100) FROM generate_series(1, 120000) i; ANALYZE public.wide`,
  );
  const trial = new MoveTrial(pair, database);
  await trial.run(postgresDriver, 1, 'preflight', 'provision');
  await using session = closing(trial.worker(hurried, 1));
  expect((await session.of.copy(undefined)).kind).toBe('continue');
  expect(await rowsOnTarget(trial)).toBeLessThan(120_000);
  return { trial, inside };
}

async function rowsOnTarget({ database }: MoveTrial): Promise<number> {
  const target = await enter(pair.target, database);
  const rows = await target.execute('SELECT FROM public.wide');
  await target.close();
  return rows;
}

async function keepers(inside: Session): Promise<number> {
  return await inside.execute(
    `SELECT FROM pg_stat_activity WHERE application_name LIKE 'drayage/%/snapshot' AND datname = current_database()`,
  );
}

test('the next worker reads on under the same snapshot, and what was written since comes by the stream', async () => {
  const { trial, inside } = await halfCopied();
  expect(await keepers(inside)).toBe(1);
  await inside.execute(
    `UPDATE public.wide SET filler = 'new' WHERE id % 1000 = 0; DELETE FROM public.wide WHERE id = 7`,
  );
  await trial.run(postgresDriver, 2, 'copy', 'verify');
  expect(await keepers(inside)).toBe(0);
  expect(await rowsOnTarget(trial)).toBe(119_999);
  await inside.close();
}, 60_000);

longTest(
  'a snapshot that somebody has ended: the copy starts over and misses nothing',
  async () => {
    const { trial, inside } = await halfCopied();
    await inside.execute(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'drayage/%/snapshot'`,
    );
    await inside.execute(`INSERT INTO public.wide SELECT i, 'late' FROM generate_series(120001, 120100) i`);
    await trial.run(postgresDriver, 2, 'copy', 'verify');
    expect(await rowsOnTarget(trial)).toBe(120_100);
    await inside.close();
  },
  60_000,
);

test('a table that is rewritten between two chunks is noticed, and the copy starts over', async () => {
  const { trial, inside } = await halfCopied();
  await inside.execute('VACUUM FULL public.wide');
  await using session = closing(trial.worker(postgresDriver, 2));
  expect(await failureCode(session.of.copy(undefined))).toBe('table-rewritten');
  await trial.runOn(session.of, 'copy', 'verify');
  expect(await rowsOnTarget(trial)).toBe(120_000);
  await inside.close();
}, 60_000);

longTest('the undo of a half-made copy ends the snapshot', async () => {
  const { trial, inside } = await halfCopied();
  await using session = closing(trial.worker(postgresDriver, 2));
  await session.of.dropReplication();
  await session.of.dropTarget();
  expect(await keepers(inside)).toBe(0);
  await inside.close();
});

longTest(
  'autovacuum is held back while a target is filled, and is as its owner wants it before clients come',
  async () => {
    const { trial, inside } = await halfCopied();
    expect(await autovacuumOf(trial)).toEqual({ wide: '{fillfactor=10,autovacuum_enabled=off}' });
    await trial.run(postgresDriver, 2, 'copy', 'catchUp');
    expect(await autovacuumOf(trial)).toEqual({ wide: '{fillfactor=10}' });
    await inside.close();
  },
  60_000,
);

longTest(
  'a table that its owner has taken from autovacuum stays taken',
  async () => {
    const database = await pair.createDatabase(3);
    const inside = await enter(pair.source, database);
    await inside.execute(
      `CREATE TABLE public.wide (id int PRIMARY KEY, filler text) WITH (autovacuum_enabled = off);
     INSERT INTO public.wide SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) i`,
    );
    const trial = new MoveTrial(pair, database);
    await trial.run(postgresDriver, 1, 'preflight', 'catchUp');
    expect(await autovacuumOf(trial)).toEqual({ wide: '{autovacuum_enabled=off}' });
    await inside.close();
  },
  60_000,
);

/** Storage parameters on the target of the tables that have some. */
async function autovacuumOf({ database }: MoveTrial): Promise<Readonly<Record<string, string>>> {
  const target = await enter(pair.target, database);
  const rows = await target.query(
    `SELECT relname::text AS name, reloptions::text AS options FROM pg_class
      WHERE reloptions IS NOT NULL AND relnamespace = 'public'::regnamespace AND relkind = 'r'`,
    [],
    z.object({ name: z.string(), options: z.string() }),
  );
  await target.close();
  return Object.fromEntries(rows.map(({ name, options }) => [name, options]));
}
