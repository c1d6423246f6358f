import { SessionLost, StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { MoveContext } from './context.ts';
import type { Session } from './connection.ts';
import { PostgresFailure } from './failures.ts';
import { copyLeftovers } from './leftovers.ts';
import { awaitBeat, readBeat, writeBeat } from './replication/pulse.ts';
import { noteSettled } from './replication/zombie.ts';
import { settleDoubts } from './verify-move.ts';
import { applyStatements } from './schema/ledger.ts';
import { isSchemaUnchanged, schemaChanged } from './schema-watch.ts';
import { differingSequences, readSequences, writeSequences } from './sequences.ts';
import type { SequenceState } from './sequences.ts';

/** Milliseconds until a marker that is not applied sends the move back: writers are waiting. */
const tailPatienceMs = 2000;

/** What `settle` has learnt and `confirm` compares. */
export interface Settled {
  readonly beat: string;
  readonly sequences: readonly SequenceState[];
  /** Is the frozen schema the one that was copied? Asked while the tail is being applied, awaited by `confirm`. */
  readonly schemaUnchanged: Promise<boolean>;
}

/**
 * The frozen source to its last commit, durable on the target: marker, tail, sequences, what the schema held
 * back, and one commit that waits for the target's disk. Applied changes themselves do not wait for it, so
 * that without this commit a crash of the target would lose them after their slot is gone.
 * @throws SessionLost, StepFailure `tail-not-applied`
 */
export async function settleOnline(context: MoveContext): Promise<{ settled: Settled; timings: Json }> {
  const { source, target, sourceOid, names } = context;
  const tail = source.insideStill(sourceOid, 'tail');
  const check = source.insideStill(sourceOid, 'check');
  const apply = await target.inside(await context.targetOid(), 'apply');
  const [reads, { sequences: list }] = await Promise.all([context.readsPlaces(), context.inventory()]);
  const aside = await target.inside(await context.targetOid(), 'aside');
  const stages: Record<string, number> = {};
  const start = performance.now();
  const stage = (name: string): void => {
    stages[name] = Math.round((performance.now() - start) * 10) / 10;
  };

  // Nobody changes the schema any more: it can be read beside the tail.
  const schema = withinFence(check, async () => isSchemaUnchanged(context, check));
  schema.catch(() => undefined);
  const beat = await withinFence(tail, async () => writeBeat(tail, names.schema));
  stage('markerMs');
  // Neither follows the stream: copied beside it.
  const leftovers = withinFence(check, async () =>
    copyLeftovers(context, { own: check, other: tail }, { own: aside, other: apply }),
  ).then(() => stage('leftoversMs'));
  leftovers.catch(() => undefined);
  const [sequences, seen] = await Promise.all([
    withinFence(tail, async () => readSequences(tail, list)),
    awaitBeat(apply, names.schema, beat, tailPatienceMs),
  ]);
  if (!seen) throw tailNotApplied(context);
  stage('tailMs');
  await leftovers;
  await applyStatements(apply, { schema: names.schema }, { section: 'last' });
  stage('lastMs');
  await apply.transaction(
    async (tx) => {
      await writeSequences(tx, sequences);
      await noteSettled(tx, names.schema, [names.stream], beat, reads);
    },
    { durable: true },
  );
  stage('durableMs');
  return { settled: { beat, sequences, schemaUnchanged: schema }, timings: stages };
}

/**
 * The last look while nobody writes: the schema is the one that was copied, the target shows the last marker
 * and has every sequence where the source left it.
 */
export async function confirmOnline(context: MoveContext, settled: Settled): Promise<Json> {
  const { source, target, sourceOid, names } = context;
  const tail = source.insideStill(sourceOid, 'tail');
  const apply = await target.inside(await context.targetOid(), 'apply');
  const [unchanged, written, seen, sequences] = await Promise.all([
    settled.schemaUnchanged,
    withinFence(tail, async () => readBeat(tail, names.schema)),
    readBeat(apply, names.schema),
    readSequences(apply, settled.sequences),
  ]);
  await settleDoubts(context, tail, apply, await context.doubts());
  if (!unchanged) throw schemaChanged(context);
  if (written !== settled.beat || seen !== settled.beat) throw tailNotApplied(context);
  if (differingSequences(settled.sequences, sequences).length > 0) {
    throw new StepFailure(
      {
        code: 'sequences-differ',
        sentence: `The sequences on the target "${context.job.target.host}" are not where the source left them.`,
        cure: 'Somebody works in the target before it is open. The move is tried again.',
      },
      'retry',
    );
  }
  return { equal: true, sequences: sequences.length };
}

function tailNotApplied(context: MoveContext): StepFailure {
  return new StepFailure(
    {
      code: 'tail-not-applied',
      sentence: `The target "${context.job.target.host}" did not apply the last changes within ${String(tailPatienceMs / 1000)} s of the freeze.`,
      cure: 'The source serves again and the freeze is tried later; look at the load of the target.',
    },
    'retry',
  );
}

/**
 * Work with a session into the fenced source: if it is gone, nobody gets in again. A worker that was told to
 * stop has cut its sessions itself: its reason passes through.
 */
export async function withinFence<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostgresFailure)) throw error;
    const lost = /^(connection-lost|session-terminated)$/.test(error.failure.code);
    if (!lost && session.usable) throw error;
    throw new SessionLost('the session into the fenced source broke off', { cause: error });
  }
}
