import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './connection.ts';
import { hasSqlState } from './failures.ts';

/** For a mover that may not shorten the server's patience: one try in this many lasts as long as it. */
const longTryEvery = 4;

/**
 * Runs a statement that needs a lock others hold, gently: the session's own `lock_timeout` bounds each try,
 * so that nobody queues behind us for longer, and between the tries everybody else goes on. An autovacuum
 * that is in the way is sent away.
 */
export async function patiently(session: Session, sql: string, patienceMs = 10_000): Promise<void> {
  if (await isDone(session, sql)) return;
  const until = performance.now() + patienceMs;
  const isSuperuser = await shortenPatience(session);
  for (let tries = 2; ; tries += 1) {
    await delay(Math.min(50 * tries, 500));
    if (!isSuperuser && tries % longTryEvery === 0) await lengthenTry(session);
    const done = await isDone(session, sql, performance.now() > until);
    await session.execute('RESET lock_timeout');
    if (done) break;
  }
  if (isSuperuser) await session.execute('RESET deadlock_timeout');
}

/** False when the lock was not to be had, or this was the victim of a deadlock. */
async function isDone(session: Session, sql: string, isLast = false): Promise<boolean> {
  try {
    await session.execute(sql);
    return true;
  } catch (error) {
    if (isLast || !hasSqlState(error, '55P03', '40P01')) throw error;
    return false;
  }
}

/**
 * The server sends an autovacuum away once somebody has waited for it as long as `deadlock_timeout`, a second by
 * default: longer than a try of ours. @returns false for a mover that may not change it
 */
async function shortenPatience(session: Session): Promise<boolean> {
  try {
    await session.execute(`SET deadlock_timeout = '50ms'`);
    return true;
  } catch (error) {
    if (!hasSqlState(error, '42501')) throw error;
    return false;
  }
}

async function lengthenTry(session: Session): Promise<void> {
  await session.execute(
    `SELECT pg_catalog.set_config('lock_timeout', (setting::int + 200)::text, false)
       FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'`,
  );
}
