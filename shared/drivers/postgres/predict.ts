import * as z from 'zod';
import type { MoveContext } from './context.ts';
import { enterBoth } from './fence/fence.ts';
import { awaitBeat, writeBeat } from './replication/pulse.ts';
import { assertSlots, readSlots } from './replication/slot-state.ts';
import { assertSchemaUnchanged } from './schema-watch.ts';
import { quoteQualified } from './identifiers.ts';
import { wholeNumber } from './values.ts';

/** Measured: closing and emptying a database of some dozen busy sessions. */
const fenceMs = 25;
/** Each further session that has to be ended. */
const perSessionMs = 0.5;
/** Bytes a second of a copy that the frozen source waits for. */
const copyRate = 40e6;
const patienceMs = 5000;

/**
 * How long would writers wait if the freeze came now: closing and emptying, as long as a marker takes just
 * now to come through, a commit on the target's disk, and what is copied in the freeze. Opens the sessions
 * that the freeze needs, so that this time is not spent in it.
 */
export async function predictPause(
  context: MoveContext,
): Promise<{ readonly ms: number; readonly why: string }> {
  const { source, target, sourceOid, names, plan } = context;
  if (plan.mode === 'offline') {
    const ms = Math.round((plan.attributes.sizeBytes / copyRate) * 1000 + 2000);
    return {
      ms,
      why: `the whole database of ${(plan.attributes.sizeBytes / 1e6).toFixed(0)} MB is copied while it is closed`,
    };
  }
  await enterBoth(context);
  const tail = await source.inside(sourceOid, 'tail');
  await assertSchemaUnchanged(context, tail);
  const apply = await target.inside(await context.targetOid(), 'apply');
  const tails: number[] = [];
  for (let sample = 0; sample < 3; sample += 1) {
    const start = performance.now();
    const beat = await writeBeat(tail, names.schema);
    const arrived = await awaitBeat(apply, names.schema, beat, patienceMs);
    if (!arrived) {
      // Without its slot it never will.
      const slots = await readSlots(await source.maintenance(), [names.stream]);
      assertSlots(slots, [names.stream], context.job.source.host);
      return { ms: patienceMs * 2, why: 'the target does not keep up with the source just now' };
    }
    tails.push(performance.now() - start);
  }
  const flush = performance.now();
  const canary = `INSERT INTO ${quoteQualified(names.schema, 'settled')} VALUES (0, 'canary')
    ON CONFLICT (id) DO UPDATE SET said = excluded.said`;
  await apply.transaction(async (tx) => tx.execute(canary), { durable: true });
  const flushMs = performance.now() - flush;
  const tailMs = tails.toSorted((a, b) => a - b)[1] ?? 0;
  const { sessions } = await tail.one(
    'SELECT count(*) AS sessions FROM pg_catalog.pg_stat_activity WHERE datid = $1',
    [sourceOid],
    z.object({ sessions: wholeNumber }),
  );
  const ms = Math.round(fenceMs + sessions * perSessionMs + tailMs + flushMs * 2);
  const parts = [
    `${String(sessions)} sessions to end`,
    `${tailMs.toFixed(0)} ms for the last change to arrive`,
    `${flushMs.toFixed(0)} ms for the target's disk`,
  ];
  return { ms, why: parts.join(', ') };
}
