import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../cli/main.ts';
import { Captured } from './captured-terminal.ts';

const entry = fileURLToPath(new URL('../../cli/dray.ts', import.meta.url));

type Variables = Readonly<Record<string, string>>;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `dray` as people and scripts run it, on one state folder. */
export class Dray {
  readonly #stateDir: string;
  readonly #variables: Variables;
  #up: ChildProcess | undefined;

  /** @param variables that every command in this process has */
  constructor(stateDir: string, variables: Variables = {}) {
    this.#stateDir = stateDir;
    this.#variables = variables;
  }

  /** Runs one command to its end, in this process. @param input what it reads on standard input */
  async run(args: readonly string[], input = '', env: Variables = {}): Promise<Finished> {
    const [stdout, stderr] = [new Captured(), new Captured()];
    const code = await main({
      argv: args,
      env: { DRAY_STATE_DIR: this.#stateDir, ...this.#variables, ...env },
      stdin: Readable.from([Buffer.from(input)]),
      stdout,
      stderr,
      onInterrupt: () => () => undefined,
    });
    return { code, out: stdout.text, err: stderr.text };
  }

  /** The same in a process of its own. */
  async spawn(args: readonly string[], input = ''): Promise<Finished> {
    const child = this.#spawn(args);
    const [out, err] = [text(child.stdout), text(child.stderr)];
    child.stdin?.end(input);
    const code = await ended(child);
    return { code, out: await out, err: await err };
  }

  /** The same with `--json`: what it printed, read. */
  async json(
    args: readonly string[],
    input = '',
  ): Promise<{ readonly code: number | null; readonly value: unknown }> {
    const { code, out, err } = await this.run([...args, '--json'], input);
    try {
      return { code, value: JSON.parse(out) };
    } catch {
      throw new Error(`dray ${args.join(' ')} printed no JSON: ${out}\n${err}`);
    }
  }

  /** Starts `dray up` and waits for its greeting. */
  async up(): Promise<string> {
    const child = this.#spawn(['up']);
    this.#up = child;
    const errors = text(child.stderr);
    let greeting = '';
    for await (const chunk of child.stdout ?? []) {
      greeting += String(chunk);
      if (greeting.includes('Ctrl-C stops it.')) return greeting;
    }
    throw new Error(`dray up ended: ${greeting}${await errors}`);
  }

  /** Ctrl-C for `dray up`. @returns its exit code; undefined when none runs */
  async stop(): Promise<number | null | undefined> {
    const child = this.#up;
    this.#up = undefined;
    if (child === undefined) return undefined;
    if (child.exitCode === null) child.kill('SIGINT');
    return ended(child);
  }

  #spawn(args: readonly string[]): ChildProcess {
    const { NODE_OPTIONS: _, ...env } = process.env;
    return spawn(process.execPath, [entry, ...args], {
      env: { ...env, DRAY_STATE_DIR: this.#stateDir, NO_COLOR: '1' },
      stdio: 'pipe',
    });
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let whole = '';
  for await (const chunk of stream ?? []) whole += String(chunk);
  return whole;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
