import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { SessionLost, StepFailure } from '../../../domain/failure.ts';
import type { Json } from '../../../domain/json.ts';
import type { StepEnd } from '../../../ports/driver.ts';
import { completeSchema } from '../catch-up.ts';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import { reenter } from '../door.ts';
import { openTargetToUs } from '../fence/fence.ts';
import { quoteQualified } from '../identifiers.ts';
import { holdsRows } from '../inventory.ts';
import { copyLargeObjects } from '../large-objects.ts';
import { noteSettled } from '../replication/zombie.ts';
import { binarySafe } from '../replication/subscription.ts';
import { assertSchemaUnchanged } from '../schema-watch.ts';
import { applyStatements } from '../schema/ledger.ts';
import { readSequences, writeSequences } from '../sequences.ts';
import { contentDiffers } from '../verify-move.ts';
import { verifyProgress, verifyTables } from '../verify/online.ts';
import { ChunkLedger, chunkKey, largeObjectsKey, planChunks } from './chunks.ts';

/** Streams side by side: two reach what one disk gives. */
const streams = 2;

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
    const { target, names } = this.#context;
    const session = await target.inside(await openTargetToUs(this.#context), 'work');
    const { tables } = await this.#context.inventory('tail');
    await new ChunkLedger(session, names.schema).begin(randomUUID(), tables);
  }

  async run(progress: Json | undefined): Promise<StepEnd> {
    const context = this.#context;
    const { target, names, job, sourceOid } = context;
    const oid = await openTargetToUs(context);
    const { tail, check } = await this.#enter();
    const work = await target.inside(oid, 'work');
    await assertSchemaUnchanged(context, tail);
    const unfinished = (await this.#copyChunks(tail, check, work, oid)) ?? (await completeSchema(context));
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
    await work.transaction(async (tx) => {
      await tx.execute('SET LOCAL synchronous_commit = on');
      await writeSequences(tx, states);
      await noteSettled(tx, names.schema, [], String(sourceOid), false);
    });
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
    const { source, target, sourceOid, names } = this.#context;
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
    if (disturbed) {
      const work = await target.inside(await this.#context.targetOid(), 'work');
      const { tables } = await this.#context.inventory('tail');
      await new ChunkLedger(work, names.schema).begin(randomUUID(), tables);
    }
    return entered;
  }

  async #copyChunks(tail: Session, check: Session, work: Session, oid: number): Promise<StepEnd | undefined> {
    const context = this.#context;
    const { target, names, job } = context;
    const ledger = new ChunkLedger(work, names.schema);
    const { tables, largeObjects } = await context.inventory('tail');
    const chunks = await planChunks(tail, tables);
    const copied = await ledger.copied();
    const queue = chunks.filter((chunk) => !copied.has(chunkKey(chunk)));
    const binary = await binarySafe(tail, work);
    const stream = async (source: Session, index: number): Promise<void> => {
      const session = await target.inside(oid, `stream ${String(index)}`);
      for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
        await ledger.copy(source, session, chunk, binary);
        if (job.remainingMs() < 5000) return;
      }
    };
    const sources = [tail, check].slice(0, streams);
    const ends = await Promise.allSettled(sources.map(async (source, index) => stream(source, index)));
    for (const end of ends) if (end.status === 'rejected') throw lostOr(end.reason, sources);
    if (queue.length > 0)
      return { kind: 'continue', progress: { chunks: chunks.length, left: queue.length } };
    if (largeObjects.count > 0 && !copied.has(largeObjectsKey)) {
      await copyLargeObjects(tail, work);
      await ledger.noteLargeObjects();
    }
    return undefined;
  }
}

function lostOr(reason: unknown, sources: readonly Session[]): unknown {
  if (sources.every(({ usable }) => usable)) return reason;
  return reason instanceof StepFailure
    ? new SessionLost('the session into the fenced source broke off', { cause: reason })
    : reason;
}
