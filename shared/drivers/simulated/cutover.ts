import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { RetainedCopy, StepEnd } from '../../ports/driver.ts';
import { entry, insideFence, keyOf, type Ground } from './ground.ts';
import { compare } from './transfer.ts';

/** A settle that takes longer than this inside the freeze is given up: writers wait. */
const settleMs = 2_000;

/** How it was before stands recorded since `copy`. */
export async function fence({ source, onSource }: Ground): Promise<void> {
  await source.ask('fence', { guard: onSource() });
}

export async function unfence({ source, onSource }: Ground): Promise<void> {
  await source.ask('unfence', { guard: onSource() });
}

export async function settle(ground: Ground): Promise<StepEnd> {
  const { job, names, source, target, recorded, onSource, onTarget, pause } = ground;
  const end = await insideFence(() => source.ask('marker', { guard: onSource() }));
  if (recorded().mode === 'offline') {
    const copied = await copyClosed(ground);
    if (copied !== undefined) return copied;
  }
  const subscription = recorded().mode === 'online' ? names.stream : null;
  for (let waited = 0, polls = 1; ; polls += 1) {
    const answer = await target.ask('settle', {
      guard: onTarget(),
      subscription,
      marker: end.position,
      sequence: end.sequence,
    });
    if (answer.settled) return { kind: 'done', result: { position: end.position, polls } };
    const ms = Math.min(Math.max(answer.etaMs, 5), 100);
    if (waited + ms > settleMs || ms > job.remainingMs()) throw slow(job.target.host, answer.lagBytes);
    await pause(ms, job.signal);
    waited += ms;
  }
}

/** The whole copy of an offline move. @returns undefined once everything is there */
async function copyClosed({
  job,
  source,
  target,
  recorded,
  onSource,
  onTarget,
  pause,
}: Ground): Promise<StepEnd | undefined> {
  for (;;) {
    const copied = await target.ask('pull', {
      guard: onTarget(),
      source: job.source.url,
      oid: recorded().oid,
    });
    if (copied.copiedBytes >= copied.totalBytes) return undefined;
    const ms = Math.min(Math.max(copied.etaMs, 20), 1_000);
    if (ms > job.remainingMs()) return { kind: 'continue', progress: { copiedBytes: copied.copiedBytes } };
    await pause(ms, job.signal);
    await insideFence(() => source.ask('marker', { guard: onSource() }));
  }
}

export async function confirm({ source, target, onSource, onTarget }: Ground): Promise<Json> {
  const here = await insideFence(() =>
    source.ask('digest', { guard: onSource(), upTo: null, session: true }),
  );
  const there = await target.ask('digest', { guard: onTarget(), upTo: null, session: false });
  if (here.sequence !== there.sequence) {
    throw new StepFailure(
      {
        code: 'sequence-differs',
        sentence: `the sequence stands at ${String(here.sequence)} on the source and ${String(there.sequence)} on the target`,
        cure: 'it is settled again by itself',
      },
      'retry',
    );
  }
  return compare(here, there);
}

export async function fenceForGood({ source, onSource }: Ground): Promise<void> {
  await source.ask('fence-for-good', { guard: onSource() });
}

export async function open({ target, onServing }: Ground): Promise<void> {
  await target.ask('open', { guard: onServing() });
}

/** A write of the new epoch; and the slot, if it is still there, holds nothing that was written after the freeze. */
export async function probe({ job, names, source, target, onServing }: Ground): Promise<void> {
  await target.ask('probe', { guard: onServing(), epoch: job.epoch + 1 });
  const { pending } = await source.ask('tail', { slot: names.stream });
  if (pending === null || pending === 0) return;
  throw new StepFailure(
    {
      code: 'source-written-after-freeze',
      sentence: `${String(pending)} changes were made on ${job.source.host} after the freeze and are not on the target`,
      cure: 'compare both copies by hand before the source copy is retired',
    },
    'fail',
  );
}

/** What the move needed goes; the source copy stays, closed, under a name of ours. */
export async function release({
  job,
  names,
  source,
  target,
  recorded,
  onSource,
  onServing,
}: Ground): Promise<RetainedCopy> {
  const { sourceSystem, oid } = recorded();
  await target.ask('unsubscribe', { guard: onServing(), name: names.stream, hand: true });
  await job.cleanup.record(job.source.host, [entry('retained', names.retained, sourceSystem, { oid })]);
  await source.ask('retain', {
    guard: onSource(),
    stream: names.stream,
    name: names.retained,
    mark: names.mark,
  });
  await job.cleanup.forget(job.target.host, [
    keyOf('database', names.provisional),
    keyOf('subscription', names.stream),
  ]);
  await job.cleanup.forget(job.source.host, [
    keyOf('publication', names.stream),
    keyOf('slot', names.stream),
    keyOf('access', job.database),
  ]);
  return { host: job.source.host, database: names.retained, systemIdentifier: sourceSystem, oid };
}

export async function retire({ job, names, source }: Ground, copy: RetainedCopy): Promise<void> {
  await source.ask('drop-database', {
    guard: { system: copy.systemIdentifier, token: job.token, database: { oid: copy.oid } },
    mark: names.mark,
  });
  await job.cleanup.forget(job.source.host, [keyOf('retained', names.retained)]);
}

function slow(host: string, lagBytes: number): StepFailure {
  return new StepFailure(
    {
      code: 'settle-slow',
      sentence: `${host} did not apply the last ${String(lagBytes)} bytes within ${String(settleMs)} ms of the freeze`,
      cure: 'the source serves again; the freeze is tried again by itself',
    },
    'retry',
  );
}
