import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { SessionLost } from '../../shared/domain/failure.ts';
import { siteAddress } from '../../shared/drivers/postgres/address.ts';
import { connect, type Session } from '../../shared/drivers/postgres/connection.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import { withinFence } from '../../shared/drivers/postgres/settle.ts';
import { wholeNumber } from '../../shared/drivers/postgres/values.ts';
import type { HostPair } from '../support/driver-conformance.ts';
import { closing, failureCode, MoveTrial } from '../support/move-trial.ts';
import { makePair } from '../support/postgres-pair.ts';

let pair: HostPair;
beforeAll(async () => {
  pair = await makePair([18, 18], 'superuser', 'logical');
}, 60_000);
afterAll(async () => {
  await pair.close();
});

/** A session on the source. */
async function enter(signal?: AbortSignal): Promise<Session> {
  return await connect(siteAddress(pair.source), {
    database: 'postgres',
    applicationName: 'test',
    lockTimeoutMs: 1_000,
    ...(signal === undefined ? {} : { signal }),
  });
}

test('a retained copy whose drop was broken off half-way is dropped by the next retire', async () => {
  const trial = new MoveTrial(pair, await pair.createDatabase(3));
  await trial.run(postgresDriver, 1, 'preflight', 'release');
  const operator = await enter();
  // Condemned, and what DROP DATABASE leaves when its backend dies after it has begun: it can be neither
  // entered nor altered.
  const condemned = trial.retained.database.replace(/_r$/, '_x');
  const marked = await operator.execute(
    'UPDATE pg_database SET datname = $2, datconnlimit = -2 WHERE datname = $1',
    [trial.retained.database, condemned],
  );
  expect(marked).toBe(1);
  await operator.close();
  await using session = closing(trial.worker(postgresDriver, 2));
  await session.of.retire(trial.retained);
  expect(await pair.exists(pair.source, condemned)).toBe(false);
  expect(trial.ledger.keys(pair.source.host)).toEqual([]);
});

test('a worker that is told to stop inside the fence gives the reason, not the loss of its session', async () => {
  const stop = new AbortController();
  const session = await enter(stop.signal);
  const asleep = withinFence(session, async () => session.execute('SELECT pg_sleep(600)'));
  const reason = new Error('the lease is lost');
  stop.abort(reason);
  await expect(asleep).rejects.toBe(reason);
  await session.close();
});

test('a session that is ended inside the fence is lost', async () => {
  const session = await enter();
  const operator = await enter();
  const asleep = withinFence(session, async () => session.execute('SELECT pg_sleep(600)'));
  await operator.execute('SELECT pg_terminate_backend($1)', [session.pid]);
  await expect(asleep).rejects.toBeInstanceOf(SessionLost);
  await Promise.all([session.close(), operator.close()]);
});

test('a retire with the number of a database that clients use drops nothing', async () => {
  const database = await pair.createDatabase(3);
  const operator = await enter();
  const { oid, system } = await operator.one(
    `SELECT oid::bigint AS oid, (pg_control_system()).system_identifier::text AS system
       FROM pg_database WHERE datname = $1`,
    [database],
    z.object({ oid: wholeNumber, system: z.string() }),
  );
  await operator.close();
  // The move's own records are lost, and what its row says is wrong.
  const trial = new MoveTrial(pair, database);
  await using session = closing(trial.worker(postgresDriver, 1));
  const copy = { host: pair.source.host, database: 'dray_trial_0_1_r', systemIdentifier: system, oid };
  expect(await failureCode(session.of.retire(copy))).toBe('not-ours');
  expect(await pair.read(pair.source, database)).toEqual([1, 2, 3]);
  expect(await pair.write(pair.source, database, 4)).toBe('acknowledged');
});
