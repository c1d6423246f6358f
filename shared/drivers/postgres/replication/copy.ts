import { StepFailure } from '../../../domain/failure.ts';
import type { StepEnd } from '../../../ports/driver.ts';
import type { MoveContext } from '../context.ts';
import type { Session } from '../connection.ts';
import { ChunkLedger, planChunks } from '../copy/chunks.ts';
import { loadTables } from '../copy/load.ts';
import type { LoadProgress } from '../copy/load.ts';
import { isReplicated } from '../inventory.ts';
import { preparePublication, startFollowing } from './establish.ts';
import { beginSnapshot, endSnapshot, isSnapshotKept } from './snapshot.ts';
import { assertSlots, readSlots } from './slot-state.ts';

/** Others wait behind our reading of a table only if they want it for themselves alone. */
const readLockTimeoutMs = 10_000;

/**
 * The bulk of the rows, as they were when the slot was made, by our own streams; what is written meanwhile
 * waits in the slot. While the copy lasts its snapshot keeps the source from clearing up old rows.
 */
export async function copyOnline(context: MoveContext): Promise<StepEnd> {
  const { source, target, sourceOid, names, job } = context;
  const inside = await target.inside(await context.targetOid(), 'work');
  const tables = (await context.inventory()).tables.filter(isReplicated);
  const ledger = new ChunkLedger(inside, names.schema);
  const snapshot = await standingSnapshot(context, ledger, tables.length);
  const read = async (lane: number): Promise<Session> =>
    source.inside(sourceOid, `lane ${String(lane)}`, { lockTimeoutMs: readLockTimeoutMs });
  let left: LoadProgress | undefined;
  try {
    left = await loadTables(context, tables, {
      session: read,
      snapshot,
      onRows: async () => endSnapshot(context),
      onRowsAndKeys: async () => startFollowing(context),
    });
  } catch (error) {
    // Its places no longer hold: the next attempt finds no snapshot, and starts over.
    if (error instanceof StepFailure && error.failure.code === 'table-rewritten') await endSnapshot(context);
    throw error;
  }
  if (left !== undefined) return { kind: 'continue', progress: left };
  assertSlots(await readSlots(await source.maintenance(), [names.stream]), [names.stream], job.source.host);
  return { kind: 'done', result: { tables: tables.length } };
}

/** That of an earlier worker if it still stands or is no longer needed, else a new one. */
async function standingSnapshot(context: MoveContext, ledger: ChunkLedger, count: number): Promise<string> {
  const { source, sourceOid, names } = context;
  const tables = (await context.inventory()).tables.filter(isReplicated);
  const state = await ledger.state();
  if (state !== undefined) {
    const listed = await ledger.list(tables);
    const slots = await readSlots(await source.maintenance(), [names.stream]);
    const copied = listed.length >= count && listed.every((one) => one.copied);
    if (slots.length === 1 && (copied || (await isSnapshotKept(context)))) return state;
  }
  await ledger.clear();
  await preparePublication(context);
  const snapshot = await beginSnapshot(context);
  const work = await source.inside(sourceOid, 'work');
  await ledger.begin(snapshot, await planChunks(work, tables), tables);
  return snapshot;
}
