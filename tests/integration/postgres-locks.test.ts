import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { connect } from '../../shared/drivers/postgres/connection.ts';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { hasSqlState } from '../../shared/drivers/postgres/failures.ts';
import { patiently } from '../../shared/drivers/postgres/patience.ts';
import { startScratch } from '../support/scratch-postgres.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';
import { longTest } from '../support/daily.ts';

let server: ScratchServer;
let operator: Session;

beforeAll(async () => {
  server = await startScratch(18, { autovacuum_naptime: '1s' });
  operator = await server.session();
}, 60_000);
afterAll(async () => {
  await operator.close();
  await server.stop();
});

/** A table that autovacuum is going over just now, so slowly that nobody would wait for its end. */
async function vacuumedTable(name: string, owner: string): Promise<void> {
  await operator.execute(
    `CREATE TABLE public.${name} (id int, filler text) WITH (autovacuum_vacuum_threshold = 1,
       autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
     INSERT INTO public.${name} SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i;
     DELETE FROM public.${name} WHERE id % 2 = 0;
     ALTER TABLE public.${name} OWNER TO ${owner}`,
  );
  while (!(await isVacuumed(name))) await delay(50);
}

async function isVacuumed(name: string): Promise<boolean> {
  const { count } = await operator.one(
    `SELECT count(*)::int AS count FROM pg_stat_progress_vacuum
      WHERE relid = to_regclass($1) AND phase <> 'initializing'`,
    [`public.${name}`],
    z.object({ count: z.int() }),
  );
  return count > 0;
}

test('a superuser sends an autovacuum away that is in the way of a statement', async () => {
  await vacuumedTable('watched', 'postgres');
  const session = await server.session('postgres', { lockTimeoutMs: 200 });
  const sql = 'ALTER TABLE public.watched REPLICA IDENTITY FULL';
  const refused = session.execute(sql).then(
    () => 'ran',
    (error: unknown) => (hasSqlState(error, '55P03') ? 'refused' : 'failed'),
  );
  expect(await refused).toBe('refused');
  await patiently(session, sql);
  expect(await settings(session)).toEqual({ deadlock: '1s', lock: '200ms' });
  await session.close();
}, 60_000);

longTest(
  'so does a role that may not shorten the patience of the server',
  async () => {
    await operator.execute(`CREATE ROLE plain LOGIN PASSWORD 'plain'`);
    await vacuumedTable('owned', 'plain');
    const session = await connect(
      { ...server.address, user: 'plain', password: 'plain' },
      { database: 'postgres', applicationName: 'test', lockTimeoutMs: 200 },
    );
    await patiently(session, 'ALTER TABLE public.owned REPLICA IDENTITY FULL');
    expect(await settings(session)).toEqual({ deadlock: '1s', lock: '200ms' });
    await session.close();
  },
  60_000,
);

async function settings(session: Session): Promise<unknown> {
  return await session.one(
    `SELECT current_setting('deadlock_timeout') AS deadlock, current_setting('lock_timeout') AS lock`,
    [],
    z.object({ deadlock: z.string(), lock: z.string() }),
  );
}
