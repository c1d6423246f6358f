import { setTimeout as delay } from 'node:timers/promises';
import { StepFailure } from '../../../domain/failure.ts';
import type { StepEnd } from '../../../ports/driver.ts';
import type { MoveContext } from '../context.ts';
import { qualifiedName } from '../inventory.ts';
import { establish } from './establish.ts';
import { Parking } from './parking.ts';
import type { Stream } from './stream.ts';
import { assertSlots, readApplyErrors, readSlots, readTableStates } from './sync-state.ts';
import type { TableState } from './sync-state.ts';

/** A call stays no longer than this, so that its caller can record progress. */
const stayMs = 2000;
/** Errors of workers that may pass by themselves: a connection lost, a deadlock with an index being built. */
const toleratedErrors = 10;

/** The bulk of the rows, by PostgreSQL's own replication: the servers work, we look. */
export class Copy {
  readonly #context: MoveContext;
  readonly #streams: () => Promise<readonly Stream[]>;
  readonly #parking: Parking;
  #established = false;
  #errorsBefore: number | undefined;
  #calls = 0;

  constructor(context: MoveContext, streams: () => Promise<readonly Stream[]>) {
    this.#context = context;
    this.#streams = streams;
    this.#parking = new Parking(context);
  }

  async run(): Promise<StepEnd> {
    const context = this.#context;
    if (!this.#established) await establish(context, await this.#streams());
    this.#established = true;
    const { source, target, streamNames } = context;
    const onTarget = await target.inside(await context.targetOid(), 'work');
    const until = performance.now() + Math.min(stayMs, Math.max(context.job.remainingMs() - 1000, 0));
    const parks = context.plan.parked.length > 0;
    this.#calls += 1;
    for (let looks = 1; ; looks += 1) {
      const states = await readTableStates(onTarget, streamNames);
      if (parks && !this.#parking.over) await this.#parking.drive(onTarget, states);
      if (states.every(({ state }) => state === 'r') && (!parks || this.#parking.over)) {
        await this.#parking.rest();
        return { kind: 'done', result: { tables: states.length } };
      }
      if (looks % 10 === 1) {
        assertSlots(
          await readSlots(await source.maintenance(), streamNames),
          streamNames,
          context.job.source.host,
        );
        await this.#assertFewErrors();
      }
      if (performance.now() > until) return await this.#wait(states);
      await delay(parks ? 50 : 40);
    }
  }

  async #wait(states: readonly TableState[]): Promise<StepEnd> {
    const done = states.filter(({ state }) => state === 'r').length;
    const { tables } = await this.#context.inventory();
    const sizes = new Map(tables.map((table) => [qualifiedName(table), table.sizeBytes]));
    const bytes = states.reduce((sum, table) => {
      const size = sizes.get(qualifiedName(table)) ?? 0;
      return sum + (/[fsr]/.test(table.state) ? size : Math.min(table.copiedBytes, size));
    }, 0);
    const { plan } = this.#context;
    const total = Math.max(plan.tableBytes, bytes);
    return {
      kind: 'wait',
      code: 'copying',
      on: `${String(done)} of ${String(states.length)} tables copied, ${megabytes(bytes)} of ${megabytes(total)} MB`,
      // Keys are due as soon as their tables are there; otherwise the servers need no watching.
      afterMs: plan.parked.length > 0 && !this.#parking.over ? 100 : Math.min(200 * this.#calls, 5000),
      progress: { tables: states.length, tablesDone: done, bytes, totalBytes: total },
    };
  }

  async #assertFewErrors(): Promise<void> {
    const { target, streamNames } = this.#context;
    const errors = await readApplyErrors(await target.maintenance(), streamNames);
    this.#errorsBefore ??= errors;
    if (errors - this.#errorsBefore < toleratedErrors) return;
    throw new StepFailure(
      {
        code: 'apply-fails',
        sentence: `The target "${this.#context.job.target.host}" failed ${String(errors)} times to copy or apply changes of this database.`,
        cure: 'Its server log says why (worker of the subscription). Was the schema changed on the source meanwhile?',
      },
      'retry',
    );
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
