import type { Json } from '../../domain/json.ts';
import { SessionLost, StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { MoveJob, MoveSession, Preflight, RetainedCopy, StepEnd } from '../../ports/driver.ts';
import { awaitLag, completeSchema } from './catch-up.ts';
import { MoveContext } from './context.ts';
import { dropTarget, retire } from './drop-database.ts';
import { makeDurable } from './durable.ts';
import { fence, fenceForGood, unfence } from './fence/fence.ts';
import { openTarget, probe } from './open.ts';
import { OfflineCopy } from './offline/offline-copy.ts';
import { predictPause } from './predict.ts';
import { preflightMove } from './preflight-move.ts';
import { provision } from './provision.ts';
import { dropReplication, release } from './release.ts';
import { copyOnline } from './replication/copy.ts';
import { keepingShort } from './replication/scanned-tables.ts';
import { confirmOnline, settleOnline } from './settle.ts';
import type { Settled } from './settle.ts';
import { verifyOnline } from './verify-move.ts';

/** Of a server that has not answered a statement for so long while writers wait, nothing more is expected. */
const silenceMs = 3500;
const offline: StepEnd = { kind: 'done', result: { mode: 'offline' } };

/** One worker's hands on the two servers of one move: PostgreSQL's side of the port. */
export class PostgresMove implements MoveSession {
  readonly #context: MoveContext;
  readonly #offline: OfflineCopy;
  #lagCalls = 0;
  #settled: Settled | undefined;
  #fenceTimings: Json = {};

  constructor(job: MoveJob) {
    this.#context = new MoveContext(job);
    this.#offline = new OfflineCopy(this.#context);
  }

  async preflight(): Promise<Preflight> {
    return await preflightMove(this.#context);
  }

  async provision(): Promise<StepEnd> {
    return await this.#stage(async () => {
      return await provision(this.#context);
    });
  }

  async copy(): Promise<StepEnd> {
    return await this.#stage(async () => {
      return this.#isOffline
        ? offline
        : await keepingShort(this.#context, async () => copyOnline(this.#context));
    });
  }

  async catchUp(progress: Json | undefined): Promise<StepEnd> {
    return await this.#stage(async () => {
      if (this.#isOffline) return offline;
      const unfinished = await completeSchema(this.#context);
      if (unfinished !== undefined) return unfinished;
      this.#lagCalls += 1;
      return await keepingShort(this.#context, async () => awaitLag(this.#context, this.#lagCalls, progress));
    });
  }

  async verify(progress: Json | undefined): Promise<StepEnd> {
    return await this.#stage(async () => {
      return this.#isOffline
        ? offline
        : await keepingShort(this.#context, async () => verifyOnline(this.#context, progress));
    });
  }

  async ping(side: 'source' | 'target'): Promise<void> {
    await this.#held(async () => {
      await (await this.#context[side].maintenance()).execute('SELECT 1');
    });
  }

  async predictPause(): Promise<{ readonly ms: number; readonly why: string }> {
    return await this.#held(async () => {
      return await predictPause(this.#context);
    });
  }

  async fence(): Promise<void> {
    await this.#hurried(async () => {
      this.#fenceTimings = { ...(await fence(this.#context)) };
      if (this.#isOffline) await this.#offline.begin();
    });
  }

  async unfence(): Promise<void> {
    await this.#hurried(async () => {
      this.#settled = undefined;
      await unfence(this.#context);
    });
  }

  async settle(progress: Json | undefined): Promise<StepEnd> {
    return await this.#hurried(async () => {
      if (this.#isOffline) return await this.#offline.run(progress);
      const { settled, timings } = await settleOnline(this.#context);
      this.#settled = settled;
      return { kind: 'done', result: { fence: this.#fenceTimings, settle: timings } };
    });
  }

  async confirm(): Promise<Json> {
    return await this.#hurried(async () => {
      if (this.#isOffline) return await this.#offline.confirm();
      if (this.#settled === undefined)
        throw new SessionLost('this session has not settled: its fence is gone');
      return await confirmOnline(this.#context, this.#settled);
    });
  }

  async fenceForGood(): Promise<void> {
    await this.#hurried(async () => {
      await fenceForGood(this.#context);
    });
  }

  async open(): Promise<void> {
    await this.#hurried(async () => {
      await openTarget(this.#context);
    });
  }

  async probe(): Promise<void> {
    await this.#hurried(async () => {
      await probe(this.#context);
    });
  }

  async release(): Promise<RetainedCopy> {
    return await this.#held(async () => {
      return await release(this.#context);
    });
  }

  async retire(copy: RetainedCopy): Promise<void> {
    await this.#held(async () => {
      await retire(this.#context, copy);
    });
  }

  async dropReplication(): Promise<void> {
    await this.#held(async () => {
      if (this.#context.job.recorded !== undefined) await dropReplication(this.#context);
    });
  }

  async dropTarget(): Promise<void> {
    await this.#held(async () => {
      await dropTarget(this.#context);
    });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** What is done on the target stays done: its end is recorded only once a crash cannot undo it. */
  async #stage(work: () => Promise<StepEnd>): Promise<StepEnd> {
    return await this.#held(async () => {
      const end = await work();
      if (end.kind === 'done' && end !== offline) await makeDurable(this.#context);
      return end;
    });
  }

  /** Writers wait: a host that falls silent must not keep them longer than it takes to be sure of it. */
  async #hurried<T>(work: () => Promise<T>): Promise<T> {
    const { source, target } = this.#context;
    // An offline copy is made in the freeze: its statements take as long as they need.
    const answerMs = this.#isOffline ? undefined : silenceMs;
    source.answerMs = answerMs;
    target.answerMs = answerMs;
    try {
      return await this.#held(work);
    } finally {
      source.answerMs = undefined;
      target.answerMs = undefined;
    }
  }

  /** A takeover ends our sessions: what looks like a lost connection then is the loss of the token. */
  async #held<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { source, target } = this.#context;
      if (isLoss(error) && ((await source.isSuperseded()) || (await target.isSuperseded()))) {
        throw new TokenSuperseded('a newer worker has taken over', { cause: error });
      }
      throw error;
    }
  }

  get #isOffline(): boolean {
    return this.#context.plan.mode === 'offline';
  }
}

function isLoss(error: unknown): boolean {
  if (error instanceof SessionLost) return true;
  return error instanceof StepFailure && /^(connection-lost|session-terminated)$/.test(error.failure.code);
}
