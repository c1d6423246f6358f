import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { SessionLost, StepFailure } from '../../../domain/failure.ts';
import type { Json } from '../../../domain/json.ts';
import type { StepEnd } from '../../../ports/driver.ts';
import { completeSchema } from '../catch-up.ts';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import { ChunkLedger, planChunks } from '../copy/chunks.ts';
import { loadTables } from '../copy/load.ts';
import { Marks } from '../copy/marks.ts';
import { reenter } from '../door.ts';
import { openTargetToUs } from '../fence/fence.ts';
import { quoteQualified } from '../identifiers.ts';
import { holdsRows } from '../inventory.ts';
import { copyLargeObjects } from '../large-objects.ts';
import { noteSettled } from '../replication/zombie.ts';
import { assertSchemaUnchanged } from '../schema-watch.ts';
import { applyStatements } from '../schema/ledger.ts';
import { readSequences, writeSequences } from '../sequences.ts';
import { contentDiffers } from '../verify-move.ts';
import { verifyProgress, verifyTables } from '../verify/online.ts';

const progressShape = z.object({ verify: verifyProgress.optional() }).catch({});

/**
 * The whole copy under the freeze, for a source that cannot replicate. Chunk by chunk, each noted on the
 * target in the transaction that brings it, so that any worker goes on where the last one stood. No snapshot
 * is needed, since nobody writes.
 */
export class OfflineCopy {
  readonly #context: MoveContext;

  constructor(context: MoveContext) {
    this.#context = context;
  }

  /** After the fence: a copy made under an earlier freeze is worth nothing. */
  async begin(): Promise<void> {
    const { target } = this.#context;
    const session = await target.inside(await openTargetToUs(this.#context), 'work');
    await this.#beginChunks(session);
  }

  async #beginChunks(work: Session): Promise<void> {
    const { source, sourceOid, names } = this.#context;
    const tables = (await this.#context.inventory('tail')).tables.filter(holdsRows);
    const chunks = await planChunks(source.insideStill(sourceOid, 'tail'), tables);
    await new ChunkLedger(work, names.schema).begin(randomUUID(), chunks, tables);
  }

  async run(progress: Json | undefined): Promise<StepEnd> {
    const context = this.#context;
    const { target, names, job, sourceOid } = context;
    const oid = await openTargetToUs(context);
    const { tail, check } = await this.#enter();
    const work = await target.inside(oid, 'work');
    await assertSchemaUnchanged(context, tail);
    const unfinished = (await this.#copyRows([tail, check], work)) ?? (await completeSchema(context));
    if (unfinished !== undefined) return unfinished;
    const { sequences, tables } = await context.inventory('tail');
    const known = progressShape.parse(progress).verify;
    const end = await verifyTables(tail, work, tables.filter(holdsRows), {
      ...(known === undefined ? {} : { progress: known }),
      goOn: () => job.remainingMs() > 3000,
      rechecks: 0,
      signal: job.signal,
    });
    if (end.kind === 'continue')
      return { kind: 'continue', progress: { verify: z.json().parse(end.progress) } };
    const { left, ...counts } = end.report;
    if (left.rows.length > 0 || left.tables.length > 0) throw contentDiffers(context, left);
    await applyStatements(work, { schema: names.schema }, { section: 'last' });
    const states = await readSequences(tail, sequences);
    await work.execute(
      `CREATE TABLE IF NOT EXISTS ${quoteQualified(names.schema, 'settled')} (id int PRIMARY KEY, said text NOT NULL)`,
    );
    await work.transaction(
      async (tx) => {
        await writeSequences(tx, states);
        await noteSettled(tx, names.schema, [], String(sourceOid), false);
      },
      { durable: true },
    );
    return { kind: 'done', result: { mode: 'offline', ...counts } };
  }

  /** The comparison was whole, and was made in the freeze: what is left to say is that it came to its end. */
  async confirm(): Promise<Json> {
    const { target, names } = this.#context;
    const work = await target.inside(await openTargetToUs(this.#context), 'work');
    const { settled } = await work.one(
      'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS settled',
      [quoteQualified(names.schema, 'settled')],
      z.object({ settled: z.boolean() }),
    );
    if (!settled) throw new SessionLost('this copy did not come to its end');
    return { equal: true, mode: 'offline' };
  }

  /** Our sessions into the closed source, of this worker or anew. */
  async #enter(): Promise<{ tail: Session; check: Session }> {
    const { source, target, sourceOid } = this.#context;
    try {
      return { tail: source.insideStill(sourceOid, 'tail'), check: source.insideStill(sourceOid, 'check') };
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
    }
    const { disturbed } = await reenter(this.#context);
    const entered = {
      tail: source.insideStill(sourceOid, 'tail'),
      check: source.insideStill(sourceOid, 'check'),
    };
    if (disturbed) await this.#beginChunks(await target.inside(await this.#context.targetOid(), 'work'));
    return entered;
  }

  async #copyRows(sources: readonly Session[], work: Session): Promise<StepEnd | undefined> {
    const context = this.#context;
    const { tables, largeObjects } = await context.inventory('tail');
    const session = async (lane: number): Promise<Session> => {
      const source = sources[lane % sources.length];
      return source === undefined
        ? Promise.reject(new RangeError('a copy needs a session'))
        : Promise.resolve(source);
    };
    try {
      const left = await loadTables(context, tables.filter(holdsRows), { session, snapshot: undefined });
      if (left !== undefined) return { kind: 'continue', progress: left };
    } catch (error) {
      throw lostOr(error, sources);
    }
    if (largeObjects.count === 0) return undefined;
    const marks = await Marks.open(work, context.names.schema);
    const state = await new ChunkLedger(work, context.names.schema).state();
    // What was read in an earlier freeze is old.
    await marks.once(work, `large objects of ${state ?? ''}`, async () =>
      copyLargeObjects(await session(0), work),
    );
    return undefined;
  }
}

function lostOr(reason: unknown, sources: readonly Session[]): unknown {
  if (sources.every(({ usable }) => usable)) return reason;
  return reason instanceof StepFailure
    ? new SessionLost('the session into the fenced source broke off', { cause: reason })
    : reason;
}
