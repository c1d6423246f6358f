import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './connection.ts';
import { hasSqlState } from './failures.ts';

/**
 * Runs a statement that needs a lock others hold, gently: the session's own `lock_timeout` bounds each try,
 * so that nobody queues behind us for longer, and between the tries everybody else goes on.
 */
export async function patiently(session: Session, sql: string, patienceMs = 10_000): Promise<void> {
  const until = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.execute(sql);
      return;
    } catch (error) {
      // Lock not available, or the victim of a deadlock.
      if (!hasSqlState(error, '55P03', '40P01') || performance.now() > until) throw error;
      await delay(Math.min(50 * attempt, 500));
    }
  }
}
