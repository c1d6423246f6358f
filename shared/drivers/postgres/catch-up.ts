import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { StepEnd } from '../../ports/driver.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { quoteQualified } from './identifiers.ts';
import { releaseAutovacuum } from './copy/autovacuum.ts';
import { Marks } from './copy/marks.ts';
import { copyLargeObjects } from './large-objects.ts';
import { assertFewApplyErrors } from './replication/apply-errors.ts';
import { awaitBeat, writeBeat } from './replication/pulse.ts';
import { assertSlots, readSlots } from './replication/slot-state.ts';
import { assertSchemaUnchanged } from './schema-watch.ts';
import { applyStatements, countPending } from './schema/ledger.ts';
import type { Section } from './schema/statements.ts';

/** What is left once rows, keys and indexes are there, in this order; `last` waits until nothing is applied any more. */
const late = [
  'keys',
  'indexes',
  'references',
  'constraints',
  'triggers',
  'privileges',
] as const satisfies readonly Section[];

/** What belongs to no single table, then materialized views and large objects: all that would take too long in the freeze. */
export async function completeSchema(context: MoveContext): Promise<StepEnd | undefined> {
  const { target, names } = context;
  const inside = await target.inside(await context.targetOid(), 'work');
  const place = { schema: names.schema };
  const pending = await countPending(inside, place);
  for (const section of late.filter((one) => pending[one] > 0)) {
    const { remaining } = await applyStatements(inside, place, {
      section,
      // Each of the first ones may take long.
      perTransaction: section === 'triggers' || section === 'privileges' ? 300 : 1,
      goOn: () => context.job.remainingMs() > 2000,
    });
    if (remaining > 0) return stopped(`${String(remaining)} ${section}`);
  }
  return await finishContents(context, inside);
}

const stopped = (left: string): StepEnd => ({ kind: 'continue', progress: { left } });

async function finishContents(context: MoveContext, inside: Session): Promise<StepEnd | undefined> {
  const marks = await Marks.open(inside, context.names.schema);
  const { tables, materializedViews, largeObjects } = await context.inventory();
  for (const view of materializedViews.filter(({ populated }) => populated)) {
    const name = quoteQualified(view.schema, view.name);
    if (context.job.remainingMs() < 2000) return stopped(`materialized views from ${name} on`);
    await marks.once(inside, `contents of ${name}`, async () =>
      inside.execute(`REFRESH MATERIALIZED VIEW ${name}; ANALYZE ${name}`),
    );
  }
  // Once before the freeze: in it only what has changed since, mostly nothing.
  if (context.plan.mode === 'online' && largeObjects.count > 0) {
    await marks.once(inside, 'large objects', async () =>
      copyLargeObjects(await context.source.inside(context.sourceOid, 'work'), inside),
    );
  }
  await releaseAutovacuum(inside, marks, tables);
  return undefined;
}

/** Milliseconds in which a marker that overtakes nobody must arrive for the lag to count as none. */
const promptMs = 300;
/** Calls in a row in which nobody reads the slot: then nobody will. */
const mostStill = 6;
const lagProgress = z.object({ still: z.number().default(0) }).catch({ still: 0 });
/** A call looks no longer than this, so that its caller learns how far it has come. */
const lookMs = 5000;

/**
 * Done when little is left to apply. The position that a target reports lies behind by what it has not
 * flushed, and by what other databases write: so a marker has the last word.
 */
export async function awaitLag(
  context: MoveContext,
  calls: number,
  progress: Json | undefined,
): Promise<StepEnd> {
  const { source, target, sourceOid, names, job } = context;
  const inside = await source.inside(sourceOid, 'work');
  await assertSchemaUnchanged(context, inside);
  const onTarget = await target.inside(await context.targetOid(), 'work');
  const stillBefore = lagProgress.parse(progress).still;
  let streamed = false;
  const until = performance.now() + Math.min(lookMs, Math.max(0, job.remainingMs() - 1000));
  for (;;) {
    const slots = await readSlots(await source.maintenance(), [names.stream]);
    assertSlots(slots, [names.stream], job.source.host);
    const lagBytes = Math.max(...slots.map((slot) => slot.lagBytes));
    streamed ||= slots.some(({ active }) => active);
    const started = performance.now();
    const beat = await writeBeat(inside, names.schema);
    const arrived = await awaitBeat(onTarget, names.schema, beat, Math.max(promptMs, until - started));
    const lagMs = Math.round(performance.now() - started);
    const isPrompt = lagMs <= promptMs || lagBytes <= job.policy.lagLimitBytes;
    if (arrived && isPrompt) return { kind: 'done', result: { lagBytes, lagMs } };
    if (performance.now() < until) continue;
    await assertFewApplyErrors(context);
    const still = streamed || arrived ? 0 : stillBefore + 1;
    if (still > mostStill) throw streamStopped(context);
    return {
      kind: 'wait',
      code: 'catching-up',
      on: `${(lagBytes / 1e6).toFixed(1)} MB of changes are left to apply`,
      afterMs: Math.min(200 * calls, 5000),
      progress: { lagBytes, lagMs, still },
    };
  }
}

/** The target follows nobody: what it waits for would never come. */
function streamStopped({ job, names }: MoveContext): StepFailure {
  return new StepFailure(
    {
      code: 'stream-stopped',
      sentence: `The target "${job.target.host}" has not followed the source "${job.source.host}" for ${String((mostStill * lookMs) / 1000)} s: nobody reads the slot "${names.stream}".`,
      cure: `See the log of the target for why its subscription of that name does not run: it may be disabled or gone, or the way to ${job.source.replicationAddress} cut.`,
    },
    'fail',
  );
}
