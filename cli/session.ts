import { hostname, userInfo } from 'node:os';
import { cannot } from './api/cannot.ts';
import { createApiClient } from './api/client.ts';
import type { Client } from './client.ts';
import { createClient } from './client.ts';
import {
  findApi,
  findInstallation,
  type ApiAccess,
  type Installation,
  type Variables,
} from './installation.ts';
import { findStage } from './stage.ts';
import { createTerminal, type Sink, type Terminal } from './terminal.ts';

/** What a command is given by the process that runs it. */
export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Variables;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Calls `then` at each Ctrl-C or request to end, until the returned function is called. */
  readonly onInterrupt: (then: () => void) => () => void;
}

/** One run of `dray`. */
export class Session {
  readonly surroundings: Surroundings;
  readonly terminal: Terminal;
  /** How the process is to end; set by the verb that ran. */
  exitCode = 0;
  /** The folder given by `--state-dir`. */
  stateDir: string | undefined;
  /** The deployed stage given by `--stage`. */
  stage: string | undefined;
  /** The profile of the AWS configuration given by `--profile`. */
  profile: string | undefined;
  #client: Promise<Client> | undefined;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
    this.terminal = createTerminal(surroundings);
  }

  /** Where progress goes when the result goes to a program. */
  get progressTerminal(): Terminal {
    const { stderr, env } = this.surroundings;
    return createTerminal({ stdout: stderr, stderr, env });
  }

  /**
   * The status API, where verbs go by it alone: the environment names it, and the command line no installation.
   * @throws CliError `variables-missing`, `api-url-invalid`
   */
  get api(): ApiAccess | undefined {
    const isNamed = [this.stateDir, this.stage, this.profile].some((option) => option !== undefined);
    return isNamed ? undefined : findApi(this.surroundings.env);
  }

  /** @throws CliError `cloud-not-running`, `variables-missing`, `stage-unknown`, `profile-without-stage`, `api-cannot` */
  async installation(): Promise<Installation> {
    const { env } = this.surroundings;
    if (this.api !== undefined) throw cannot('names of the parts of an installation');
    return this.stage === undefined
      ? findInstallation(this.stateDir, env, this.profile)
      : findStage(this.stage, env, this.profile);
  }

  /** The installation's client, connected when first asked for. @throws as `installation` */
  client(): Promise<Client> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<Client> {
    const { api } = this;
    return api === undefined ? createClient(await this.installation()) : createApiClient(api);
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.close();
  }

  async readStdin(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.surroundings.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }
}

/** Who publishes, as events say it: `dray/<user>@<machine>`. */
export function ourSource(): string {
  const clean = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 100);
  return `dray/${clean(userName())}@${clean(hostname())}`;
}

/** The name of whoever runs this; an account without a name is called by its number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
