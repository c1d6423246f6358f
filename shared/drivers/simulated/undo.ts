import { StepFailure } from '../../domain/failure.ts';
import { keyOf, type Ground } from './ground.ts';

/**
 * Undo of `copy`. Both hosts are tried: a target that is gone for good must not keep the source's slot alive.
 * What a host that does not answer still has stays recorded.
 * @throws StepFailure with verdict `host-down` once what could be cleaned is clean
 */
export async function dropReplication(ground: Ground): Promise<void> {
  const { job, names, source, target, onSource, onTarget } = ground;
  if (job.recorded === undefined || job.recorded === null) return;
  const away = await unlessAway(async () => {
    await target.ask('unsubscribe', { guard: onTarget(), name: names.stream, hand: false });
    await job.cleanup.forget(job.target.host, [keyOf('subscription', names.stream)]);
  });
  await source.ask('unpublish', { guard: onSource(), name: names.stream });
  await job.cleanup.forget(job.source.host, [
    keyOf('publication', names.stream),
    keyOf('slot', names.stream),
    keyOf('access', job.database),
  ]);
  if (away !== undefined) throw away;
}

/** Undo of `provision`: drops what is recorded, by the number that is recorded. */
export async function dropTarget({ job, names, target, onTarget }: Ground): Promise<void> {
  const key = keyOf('database', names.provisional);
  const item = (await job.cleanup.list(job.target.host)).find((each) => each.key === key);
  if (item === undefined) return;
  // A target that did not answer when the replication was undone has its subscription still.
  await target.ask('unsubscribe', { guard: onTarget(), name: names.stream, hand: false });
  const database = item.oid === undefined ? { mark: names.mark } : { oid: item.oid };
  await target.ask('drop-database', {
    guard: { system: item.systemIdentifier, token: job.token, database },
    mark: names.mark,
  });
  await job.cleanup.forget(job.target.host, [key, keyOf('subscription', names.stream)]);
}

/** @returns the failure of a host that does not answer */
async function unlessAway(undo: () => Promise<void>): Promise<StepFailure | undefined> {
  try {
    await undo();
    return undefined;
  } catch (error) {
    if (error instanceof StepFailure && error.verdict === 'host-down') return error;
    throw error;
  }
}
