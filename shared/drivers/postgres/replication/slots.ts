import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { Session } from '../connection.ts';
import { hasSqlState } from '../failures.ts';

const patienceMs = 10_000;

/**
 * Drops the slots of these names of one database; from any database. A sender that still reads from a slot is
 * ended first, and again if it has come back.
 */
export async function dropSlots(session: Session, database: number, names: readonly string[]): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const slots = await session.query(
      `SELECT slot_name::text AS name, active_pid AS pid FROM pg_catalog.pg_replication_slots
        WHERE datoid = $1 AND slot_name = ANY ($2::name[])`,
      [database, names],
      z.object({ name: z.string(), pid: z.int().nullable() }),
    );
    if (slots.length === 0) return;
    for (const { name, pid } of slots) {
      try {
        if (pid !== null) await session.execute('SELECT pg_catalog.pg_terminate_backend($1)', [pid]);
        await session.execute('SELECT pg_catalog.pg_drop_replication_slot($1)', [name]);
      } catch (error) {
        // In use (the sender is still ending), or gone by itself.
        if (!hasSqlState(error, '55006', '42704') || performance.now() > until) throw error;
      }
    }
    await delay(20);
  }
}
