import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CloudError, messageOf } from './cloud-error.ts';
import { compileCache } from './compile-cache.ts';
import { EngineLink } from './engine-link.ts';
import { startGuardian } from './guardian.ts';
import {
  cloudDescription,
  cloudStats,
  deployAnswer,
  environmentView,
  invokeAnswer,
  type CloudDescription,
  type CloudStats,
  type EngineOptions,
  type EnvironmentView,
} from './protocol.ts';

export { CloudError } from './cloud-error.ts';
export { findCloud } from './state-dir.ts';
export type { CloudDescription, CloudStats, EnvironmentView } from './protocol.ts';

/** How a cloud is started. */
export interface CloudOptions {
  /** Folder of the project: where `serverless.yml` is. */
  readonly root: string;
  /** Folder that holds all state; it is created, and one cloud at a time may use it. */
  readonly stateDir: string;
  /** Stage to package. Default `local`. */
  readonly stage?: string;
  /** Parameters of the stage to override. */
  readonly params?: Readonly<Record<string, string>>;
  /** Port of the gateway; SNS, SQS and S3 take the next one, the status API the one after. Default 0: any free ports, the same ones again if free. */
  readonly port?: number;
  /** Which DynamoDB. Default `dynoxide`. */
  readonly dynamo?: 'dynoxide' | 'dynamodb-local';
  /**
   * Begins with nothing and keeps tables in memory: no disk flush at each write, and nothing to resume. Secrets stay.
   * Default false.
   */
  readonly inMemory?: boolean;
  /** Write units per second that a partition key of a table or index may take, as AWS's 1,000. Default: no limit. */
  readonly writeLimitPerKey?: number;
  /** Counts the table's units by kind of record, and what functions' reads use: slower. Default false. */
  readonly meterInDetail?: boolean;
  /** 1 is real time, 60 makes a second of a minute, 0 leaves schedules to `fire`. Default 1. */
  readonly scheduleSpeed?: number;
  /** Environments at once of a function without reserved concurrency. Default 16. */
  readonly defaultConcurrency?: number;
  /** An environment that was idle for so long is ended. Default 120. */
  readonly idleSeconds?: number;
  /** Variables of every function, over those of the template: e.g. another address of a service. */
  readonly functionVariables?: Readonly<Record<string, string>>;
  /**
   * Functions send their spans, which are kept in `logs/spans.log` for `dray trace`; and sent on to a collector of OpenTelemetry
   * at this base address, if there is one. Default: they send none.
   */
  readonly traces?: { readonly alsoTo?: string };
  /** Package and reload when the sources change. Default false. */
  readonly watch?: boolean;
  /** Hears what a person wants to read: packaging, reloads. Default: a line on standard error. */
  readonly onNotice?: (text: string) => void;
  /** Hears each line that a function writes; the files under `logs/` have them in any case. */
  readonly onLine?: (functionName: string, line: string) => void;
  /** Hears that the cloud died by itself. Default: a line on standard error. */
  readonly onDeath?: (reason: string) => void;
}

/** A running cloud. */
export interface Cloud {
  readonly stateDir: string;
  /** Variables for any AWS SDK or CLI: region, credentials, endpoints. */
  readonly env: Readonly<Record<string, string>>;
  /** The stack's outputs, resolved: names, ARNs and URLs of this machine. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Where the status API is, and a key to it; undefined: the template has none. */
  readonly api: CloudDescription['api'];
  /** Where the figures that functions write can be read, in the text form of OpenMetrics: for Prometheus. */
  readonly metrics: string;
  readonly notEmulated: CloudDescription['notEmulated'];
  readonly schedules: CloudDescription['schedules'];
  readonly functions: CloudDescription['functions'];
  /** The execution environments that live now, with their process ids. */
  environments(): Promise<EnvironmentView[]>;
  stats(): Promise<CloudStats>;
  /** Starts a schedule's targets now, or looks at an alarm; by logical id, name or ARN. */
  fire(schedule: string): Promise<void>;
  /** Runs a function and waits; by logical id, name or ARN. */
  invoke(functionName: string, payload: unknown): Promise<{ payload: unknown; failed: boolean }>;
  /**
   * Deploys the sources of another folder in place of those that run: resources stay, events that are being worked on
   * end where they began. Answers the names of functions that have changed.
   */
  deploy(root: string): Promise<readonly string[]>;
  /** Stops everything; state stays. May be called again. */
  stop(): Promise<void>;
}

const OLDEST_NODE = 24;
/** Stopping in order takes this long at most; then everything is killed. */
const STOP_LIMIT_MS = 12_000;

/**
 * Starts the project's packaged CloudFormation on this machine and waits until it serves. Whatever ends this process
 * ends the cloud with it. Throws `CloudError`: `CloudAlreadyRunning`, `PortTaken`, `PackagingFailed`, `BinaryMissing`…
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  demandNode();
  const settings = complete(options);
  const engine = spawnEngine(settings);
  const guardian = startGuardian(engine.pid ?? 0);
  const link = new EngineLink(engine, {
    notice: options.onNotice ?? printLine,
    line: options.onLine ?? (() => undefined),
    death: options.onDeath ?? printLine,
  });

  async function end(): Promise<void> {
    link.expectEnd();
    await link.ended;
    killGroup(engine);
    guardian.dismiss();
  }

  let description: CloudDescription;
  try {
    description = cloudDescription.parse(await link.call({ method: 'start', options: settings }));
    link.expectLife();
  } catch (error) {
    killGroup(engine);
    await end();
    throw error;
  }

  async function stop(): Promise<void> {
    link.expectEnd();
    const limit = setTimeout(() => {
      killGroup(engine);
    }, STOP_LIMIT_MS);
    // A cloud that died already has nothing to stop.
    await link.call({ method: 'stop' }).catch(() => undefined);
    await end();
    clearTimeout(limit);
  }

  let stopped: Promise<void> | undefined;
  const { env, outputs, api, metrics, notEmulated, schedules, functions } = description;
  return {
    stateDir: settings.stateDir,
    env,
    outputs,
    api,
    metrics,
    notEmulated,
    schedules,
    functions,
    environments: async () => z.array(environmentView).parse(await link.call({ method: 'environments' })),
    stats: async () => cloudStats.parse(await link.call({ method: 'stats' })),
    fire: async (schedule) => {
      await link.call({ method: 'fire', schedule });
    },
    invoke: async (functionName, payload) => {
      const answer = invokeAnswer.parse(
        await link.call({
          method: 'invoke',
          functionName,
          payload: payload === undefined ? 'null' : JSON.stringify(payload),
        }),
      );
      return { payload: parsePayload(answer.payload), failed: answer.failed };
    },
    deploy: async (root) => deployAnswer.parse(await link.call({ method: 'deploy', root: resolve(root) })),
    stop: () => (stopped ??= stop()),
  };
}

function complete(options: CloudOptions): EngineOptions {
  return {
    root: resolve(options.root),
    stateDir: resolve(options.stateDir),
    stage: options.stage ?? 'local',
    params: { ...options.params },
    port: options.port ?? 0,
    dynamo: options.dynamo ?? 'dynoxide',
    inMemory: options.inMemory ?? false,
    meterInDetail: options.meterInDetail ?? false,
    scheduleSpeed: options.scheduleSpeed ?? 1,
    defaultConcurrency: options.defaultConcurrency ?? 16,
    idleSeconds: options.idleSeconds ?? 120,
    functionVariables: { ...options.functionVariables },
    ...(options.traces === undefined ? {} : { traces: { ...options.traces } }),
    watch: options.watch ?? false,
    forwardLogs: options.onLine !== undefined,
    ...(options.writeLimitPerKey === undefined ? {} : { writeLimitPerKey: options.writeLimitPerKey }),
  };
}

/** The engine leads a process group of its own, so that everything of this cloud can be killed at once. */
function spawnEngine({ stateDir }: EngineOptions): ChildProcess {
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const log = openSync(join(stateDir, 'logs', 'engine.log'), 'a');
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    return spawn(process.execPath, [fileURLToPath(new URL('./engine/main.ts', import.meta.url))], {
      detached: true,
      env: { NODE_COMPILE_CACHE: compileCache, ...env },
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

function killGroup(engine: ChildProcess): void {
  if (engine.pid === undefined) return;
  try {
    process.kill(-engine.pid, 'SIGKILL');
  } catch {
    // nothing of the group is left
  }
}

function demandNode(): void {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return;
  throw new CloudError(
    'NodeTooOld',
    `The embedded cloud needs Node ${String(OLDEST_NODE)} or newer and runs under ${process.version}: start it by npm, which brings its own Node.`,
  );
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CloudError('ServiceRefused', `The function answered no JSON: ${messageOf(error)}.`);
  }
}

function printLine(text: string): void {
  process.stderr.write(`${text}\n`);
}
