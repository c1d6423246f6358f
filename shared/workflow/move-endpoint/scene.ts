import { StepFailure } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import type { Move } from '../../domain/move.ts';
import type { Placement } from '../../domain/placement.ts';
import type { Closable, MoveSession, Mover, StepEnd } from '../../ports/driver.ts';
import type { Hand } from '../engine/workflow.ts';
import { loadHost, siteOf } from '../host-site.ts';
import type { Services } from '../services.ts';
import { inRow, pack, unpack } from './carry.ts';
import { cleanupLedger } from './cleanup-ledger.ts';
import { resultsOf } from './results.ts';

export interface MoveServices<Session extends Closable = MoveSession> extends Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'secrets' | 'clock' | 'calendar' | 'settings' | 'log' | 'meter'
> {
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<Mover<Session>>;
}

/**
 * What the steps of one invocation share: the services and one session on the two hosts. The session is made
 * anew once preflight has recorded what every later step must know.
 */
export class MoveScene<Session extends Closable> {
  readonly services: MoveServices<Session>;
  /** Set while this very invocation holds the freeze: the placement as it has written it last. */
  held: Placement | undefined;
  readonly #driver: Mover<Session>;
  #session: { readonly of: Session; readonly recorded: boolean } | undefined;

  private constructor(services: MoveServices<Session>, driver: Mover<Session>) {
    this.services = services;
    this.#driver = driver;
  }

  static async open<Session extends Closable>(
    services: MoveServices<Session>,
    hand: Hand<Move>,
  ): Promise<MoveScene<Session>> {
    return new MoveScene(services, await services.driver(hand.task.driver));
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.of.close();
  }

  /** The driver's hands on the hosts of this move. */
  async session(hand: Hand<Move>): Promise<Session> {
    const { preflight } = resultsOf(hand.task);
    const recorded = preflight !== undefined;
    if (this.#session?.recorded === recorded) return this.#session.of;
    await this.close();
    const { services } = this;
    const [source, target] = await Promise.all([
      loadHost(services, hand.task.source),
      loadHost(services, hand.task.target),
    ]);
    const [sourceSite, targetSite] = await Promise.all([siteOf(services, source), siteOf(services, target)]);
    const session = this.#driver.begin({
      installation: services.settings.installation,
      move: hand.task.id,
      run: hand.task.execution.run,
      endpoint: hand.task.endpoint,
      database: hand.task.database,
      source: sourceSite,
      target: targetSite,
      token: hand.token,
      epoch: hand.task.epoch,
      policy: hand.task.policy,
      recorded: preflight === undefined ? undefined : await unpack(services.blobs, preflight.recorded),
      cleanup: cleanupLedger(services.store, hand.task, hand.token),
      signal: hand.signal,
      remainingMs: hand.remainingMs,
      // It stands where a step's own progress does, and whoever takes over reads it there.
      show: (progress) => {
        hand.show(inRow(progress));
      },
    });
    this.#session = { of: session, recorded };
    return session;
  }

  /** Calls a step of the driver that may take several invocations; its progress and result may be large. */
  async carryOn(
    hand: Hand<Move>,
    call: (session: Session, progress: Json | undefined) => Promise<StepEnd>,
  ): Promise<StepEnd> {
    const { blobs } = this.services;
    const progress = hand.progress === undefined ? undefined : await unpack(blobs, hand.progress);
    const end = await call(await this.session(hand), progress);
    switch (end.kind) {
      case 'done':
        return end.result === undefined ? end : { ...end, result: await pack(blobs, end.result) };
      case 'wait':
        return end.progress === undefined ? end : { ...end, progress: await pack(blobs, end.progress) };
      case 'continue':
        return { ...end, progress: await pack(blobs, end.progress) };
      default:
        return end satisfies never;
    }
  }
}

/** A step found something missing that an earlier one must have left: a defect, or a row that was tampered with. */
export function missing(what: string): StepFailure {
  return new StepFailure(
    {
      code: 'result-missing',
      sentence: `${what} is not recorded`,
      cure: 'retry the move; please report it as a defect',
    },
    'fail',
  );
}
