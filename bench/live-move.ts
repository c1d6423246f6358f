/** Drayage's side of the measurement: the embedded cloud, `dray` as a user runs it, and live writers. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { everyPage } from '../shared/workflow/every-page.ts';
import { findCloud } from '../local/cloud.ts';
import { auditLedger, isSound } from '../local/demo/audit.ts';
import { Fleet } from '../local/demo/fleet.ts';
import type { PostgresServer } from '../local/demo/servers.ts';
import type { Tenant } from '../local/demo/tenants.ts';
import { WritersProcess } from '../local/demo/writers-process.ts';
import { spawnOwned } from '../local/servers/owned-process.ts';
import { batchId } from '../shared/domain/ids.ts';
import type { MoveId } from '../shared/domain/ids.ts';
import { run } from './programs.ts';

const DRAY = fileURLToPath(new URL('../cli/dray.ts', import.meta.url));
/** How long, in milliseconds, the writers write before and after a move. */
const LEAD_MS = 3_000;

export interface Load {
  readonly writers: number;
  /** Transactions a second of all writers together. */
  readonly rate: number;
}

export interface LiveMove {
  /** From the start of `dray move --wait` to its end. */
  readonly seconds: number;
  /** The longest gap between two acknowledged commits of each writer, in milliseconds. */
  readonly pausesMs: readonly number[];
  /** Transactions that were acknowledged during the whole run. */
  readonly acknowledged: number;
  readonly acknowledgedPerSecond: number;
  /** Seconds from the end of the step before it (the first: from the request) to its own. */
  readonly steps: Readonly<Record<string, number>>;
}

const lastLine = z.object({
  batch: z.string().transform(batchId),
  moves: z.object({ total: z.number(), moved: z.number() }),
});

/** An embedded cloud with two hosts and one endpoint, as a user has them. */
export class LiveInstallation {
  readonly #stateDir: string;
  readonly #up: ChildProcess;
  #fleet: Fleet | undefined;

  private constructor(stateDir: string, up: ChildProcess) {
    this.#stateDir = stateDir;
    this.#up = up;
  }

  /** Starts `dray up`, adds the hosts by their urls, and the tenant's database as an endpoint of the first. */
  static async start(
    stateDir: string,
    hosts: readonly PostgresServer[],
    tenant: Tenant,
  ): Promise<LiveInstallation> {
    const up = spawnOwned(process.execPath, [DRAY, '--state-dir', stateDir, 'up'], {
      env: process.env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const installation = new LiveInstallation(stateDir, up);
    try {
      await installation.#ready();
      for (const host of hosts) await installation.#dray('host', 'add', host.name, '--url', host.url());
      const [first] = hosts;
      if (first === undefined) throw new Error('a measurement needs a host');
      await installation.#dray(
        'endpoint',
        'add',
        tenant.name,
        '--host',
        first.name,
        '--database',
        tenant.database,
      );
      return installation;
    } catch (error) {
      await installation.stop();
      throw error;
    }
  }

  /** Moves the endpoint while writers write, and proves that nothing of theirs is lost. */
  async move(tenant: Tenant, source: PostgresServer, target: PostgresServer, load: Load): Promise<LiveMove> {
    const fleet = this.#known();
    const writers = await WritersProcess.start([tenant], {
      locator: fleet.locator,
      perTenant: load.writers,
      rate: load.rate / load.writers,
    });
    await sleep(LEAD_MS);
    const linesBefore = lines(writers);
    const since = performance.timeOrigin + performance.now();
    const started = performance.now();
    const output = await this.#dray(
      'move',
      tenant.name,
      '--to',
      target.name,
      '--retention',
      '0',
      '--wait',
      '--json',
    );
    const seconds = (performance.now() - started) / 1_000;
    await sleep(LEAD_MS);
    const pausesMs = (await writers.longestGaps(since)).get(tenant.name)?.map((gap) => gap.ms) ?? [];
    const linesAfter = lines(writers);
    const writingSeconds = (performance.now() - started) / 1_000;
    const histories = (await writers.stop()).get(tenant.name) ?? [];

    const report = lastLine.parse(JSON.parse(output.trim().split('\n').at(-1) ?? ''));
    if (report.moves.moved !== 1) throw new Error(`the move ended as ${output.trim()}`);
    const audit = await auditLedger({ ...target.address, database: tenant.database }, histories);
    if (!isSound(audit)) throw new Error(`writes went wrong: ${JSON.stringify(audit)}`);
    const [move] = await everyPage((cursor) => fleet.services.views.movesOf(report.batch, undefined, cursor));
    const steps = move === undefined ? {} : await this.#stepSeconds(move.id, since);
    await this.#untilRetired(source, tenant.database);
    return {
      seconds,
      pausesMs,
      acknowledged: linesAfter - linesBefore,
      acknowledgedPerSecond: (linesAfter - linesBefore) / writingSeconds,
      steps,
    };
  }

  async stop(): Promise<void> {
    if (this.#up.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      this.#up.once('exit', () => {
        resolve();
      });
    });
    this.#up.kill('SIGINT');
    await ended;
  }

  async #ready(): Promise<void> {
    for (;;) {
      const cloud = await findCloud(this.#stateDir);
      if (cloud !== undefined) {
        this.#fleet = new Fleet(cloud);
        return;
      }
      if (this.#up.exitCode !== null) throw new Error(`dray up ended with ${String(this.#up.exitCode)}`);
      await sleep(100);
    }
  }

  async #stepSeconds(move: MoveId, since: number): Promise<Record<string, number>> {
    const history = await everyPage((cursor) => this.#known().services.views.history(move, cursor));
    const steps: Record<string, number> = {};
    let last = since;
    for (const { at, fact, step } of history) {
      if (fact !== 'step-finished' || step === undefined) continue;
      steps[step] = (at - last) / 1_000;
      last = at;
    }
    return steps;
  }

  #known(): Fleet {
    if (this.#fleet === undefined) throw new Error('the embedded cloud is not ready');
    return this.#fleet;
  }

  async #dray(...args: readonly string[]): Promise<string> {
    return run(process.execPath, [DRAY, '--state-dir', this.#stateDir, ...args]);
  }

  /** The source's copy is dropped behind the move: its end must not burden the next measurement. */
  async #untilRetired(source: PostgresServer, database: string): Promise<void> {
    const client = await source.connect();
    try {
      const left = `SELECT FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', $1)
                    UNION ALL SELECT FROM pg_database WHERE datname = $1`;
      while (((await client.query(left, [database])).rowCount ?? 0) > 0) await sleep(200);
    } finally {
      await client.end();
    }
  }
}

function lines(writers: WritersProcess): number {
  return writers.tally().reduce((sum, tally) => sum + tally.lines, 0);
}
