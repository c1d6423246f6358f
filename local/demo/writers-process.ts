/** Writers in a process of their own, so that what else this one does never makes them wait. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Gap, WriterHistory } from './history.ts';
import type { Tenant } from './tenants.ts';
import { report } from './writers-protocol.ts';
import type { Locator, Order, Report } from './writers-protocol.ts';
import type { TenantTally } from './writers.ts';

export interface WritersProcessOptions {
  readonly locator: Locator;
  readonly perTenant?: number;
  /** Transactions a second of each writer. */
  readonly rate?: number;
}

type Told<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>;

/** A running process of writers; `stop` ends it. */
export class WritersProcess {
  readonly #child: ChildProcess;
  #tally: readonly TenantTally[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message) => {
      const told = report.parse(message);
      if (told.kind === 'tally') this.#tally = told.tally;
    });
  }

  /** Resolves when the writers have been told to start. */
  static async start(tenants: readonly Tenant[], options: WritersProcessOptions): Promise<WritersProcess> {
    const child = fork(fileURLToPath(new URL('writers-main.ts', import.meta.url)), [], { execArgv: [] });
    const writers = new WritersProcess(child);
    await writers.#hear('ready');
    writers.#tell({
      kind: 'start',
      tenants: tenants.map(({ name, database, owner, content }) => ({ name, database, owner, content })),
      locator: options.locator,
      perTenant: options.perTenant ?? 2,
      rate: options.rate ?? 15,
    });
    return writers;
  }

  /** Lines written by each tenant's writers, a moment ago. */
  tally(): readonly TenantTally[] {
    return this.#tally;
  }

  /** Longest gap of each writer, by endpoint, since a time in milliseconds since the epoch. */
  async longestGaps(since: number): Promise<ReadonlyMap<string, Gap[]>> {
    const answer = this.#hear('gaps');
    this.#tell({ kind: 'measure', since });
    return new Map(Object.entries((await answer).gaps));
  }

  /** Lets each writer end its transaction, then the process. @returns histories by endpoint */
  async stop(): Promise<ReadonlyMap<string, WriterHistory[]>> {
    const answer = this.#hear('histories');
    this.#tell({ kind: 'stop' });
    const { histories } = await answer;
    const ended = new Promise<void>((resolve) =>
      this.#child.once('exit', () => {
        resolve();
      }),
    );
    this.#child.disconnect();
    await ended;
    return new Map(Object.entries(histories));
  }

  #tell(order: Order): void {
    this.#child.send(order);
  }

  #hear<Kind extends Report['kind']>(kind: Kind): Promise<Told<Kind>> {
    return new Promise((resolve, reject) => {
      const forget = (): void => {
        this.#child.off('message', listen);
        this.#child.off('exit', fail);
      };
      const listen = (message: unknown): void => {
        const told = report.parse(message);
        if (!isKind(told, kind)) return;
        forget();
        resolve(told);
      };
      const fail = (code: number | null): void => {
        forget();
        reject(new Error(`the writers' process ended with status ${String(code)}`));
      };
      this.#child.on('message', listen);
      this.#child.once('exit', fail);
    });
  }
}

function isKind<Kind extends Report['kind']>(told: Report, kind: Kind): told is Told<Kind> {
  return told.kind === kind;
}
