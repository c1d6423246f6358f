import { setTimeout as delay } from 'node:timers/promises';
import { SessionLost, StepFailure } from '../../shared/domain/failure.ts';
import { endpointName, moveId, type MoveId } from '../../shared/domain/ids.ts';
import type { Json } from '../../shared/domain/json.ts';
import type { MovePolicy } from '../../shared/domain/policy.ts';
import type { HostDriver, HostSite, MoveSession, RetainedCopy, StepEnd } from '../../shared/ports/driver.ts';
import { TrialLedger } from './cleanup-ledger.ts';

/** What a worker asks of a session on the way forward, in its order. */
export const stages = [
  'preflight',
  'provision',
  'copy',
  'catchUp',
  'verify',
  'fence',
  'settle',
  'confirm',
  'fenceForGood',
  'open',
  'probe',
  'release',
] as const;
export type Stage = (typeof stages)[number];

/** Up to the flip. */
export const reversible: readonly Stage[] = stages.slice(0, stages.indexOf('confirm') + 1);

export const policy: MovePolicy = {
  roles: 'require',
  pauseBudgetMs: 2_000,
  lagLimitBytes: 64 * 1024,
  retentionMs: 0,
  offline: 'allow',
};

/** A step that waits this often for nothing has failed. */
const patience = 600;
let moves = 0;

export interface TrialSites {
  readonly source: HostSite;
  readonly target: HostSite;
}

/**
 * One move of one database as its workers make it, without table, queue or lease: who dies, when, and who goes
 * on is the test's to say.
 */
export class MoveTrial {
  readonly ledger = new TrialLedger();
  readonly move: MoveId;
  readonly database: string;
  readonly sites: TrialSites;
  readonly installation: string;
  #recorded: Json | undefined;
  #retained: RetainedCopy | undefined;

  constructor(sites: TrialSites, database: string, installation = 'trial') {
    moves += 1;
    this.move = moveId(`mv_${String(Date.now() % 1e9).padStart(9, '0')}${String(moves).padStart(7, '0')}`);
    this.sites = sites;
    this.database = database;
    this.installation = installation;
  }

  get retained(): RetainedCopy {
    if (this.#retained === undefined) throw new Error('nothing was released yet');
    return this.#retained;
  }

  /** A worker with the right of `token`. */
  worker(driver: HostDriver, token: number, signal = new AbortController().signal): MoveSession {
    return driver.begin({
      installation: this.installation,
      move: this.move,
      run: 1,
      endpoint: endpointName(this.move),
      database: this.database,
      ...this.sites,
      token,
      epoch: 1,
      policy,
      recorded: this.#recorded,
      cleanup: this.ledger,
      signal,
      remainingMs: () => 60_000,
      show: () => undefined,
    });
  }

  /** The stage that was begun last. */
  at: Stage = 'preflight';

  /** One stage to its end. */
  async take(session: MoveSession, stage: Stage): Promise<void> {
    this.at = stage;
    switch (stage) {
      case 'preflight': {
        const { findings, recorded } = await session.preflight();
        const blockers = findings.filter(({ severity }) => severity === 'blocker');
        if (blockers.length > 0)
          throw new Error(`blocked: ${blockers.map(({ sentence }) => sentence).join('; ')}`);
        this.#recorded = recorded;
        return;
      }
      case 'provision':
      case 'copy':
      case 'catchUp':
      case 'verify':
      case 'settle':
        await toTheEnd((progress) => session[stage](progress));
        return;
      case 'release':
        this.#retained = await session.release();
        return;
      default:
        await session[stage]();
    }
  }

  /** Every stage from `from` to `to` (both included). */
  async run(driver: HostDriver, token: number, from: Stage, to: Stage): Promise<void> {
    // What preflight records reaches a worker with its job.
    if (from === 'preflight') {
      await using session = closing(this.worker(driver, token));
      await this.take(session.of, 'preflight');
      if (to === 'preflight') return;
    }
    await using session = closing(this.worker(driver, token));
    await this.runOn(session.of, from === 'preflight' ? 'provision' : from, to);
  }

  /** The same with a session that stays open. */
  async runOn(session: MoveSession, from: Stage, to: Stage): Promise<void> {
    for (const stage of stages.slice(stages.indexOf(from), stages.indexOf(to) + 1))
      await this.take(session, stage);
  }

  /**
   * As a later worker goes on at `stage` after another one's death: what was inside the fence is lost with it, so
   * it thaws and freezes again; then forward to the end.
   */
  async goOn(driver: HostDriver, token: number, stage: Stage): Promise<void> {
    await using session = closing(this.worker(driver, token));
    try {
      await this.runOn(session.of, stage === 'preflight' ? 'provision' : stage, 'release');
    } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      await session.of.unfence();
      await this.runOn(session.of, 'fence', 'release');
    }
  }
}

/** Calls a step until it is done, as the engine would. */
export async function toTheEnd(
  step: (progress: Json | undefined) => Promise<StepEnd>,
): Promise<Json | undefined> {
  let progress: Json | undefined;
  for (let calls = 0; calls < patience; calls += 1) {
    const end = await step(progress);
    if (end.kind === 'done') return end.result;
    progress = end.progress;
    if (end.kind === 'wait') await delay(Math.min(end.afterMs, 200));
  }
  throw new Error('the step never came to its end');
}

/** Closes a session at the end of its block. */
export function closing(session: MoveSession): AsyncDisposable & { readonly of: MoveSession } {
  return { of: session, [Symbol.asyncDispose]: () => session.close() };
}

/** The code of the failure that a call ends with; undefined when it succeeds. */
export async function failureCode(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof StepFailure) return error.failure.code;
    return error instanceof Error ? error.name : 'unknown';
  }
}
