import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../local/demo/main.ts', import.meta.url));

/** The first command of the README on a terminal: it shows what happens, and stays up until Ctrl-C. */
export class DemoOnTerminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #shown = '';

  /** @param folder for temporary files */
  constructor(options: readonly string[], folder: string) {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const words = [process.execPath, main, ...options].map((word) => `'${word}'`).join(' ');
    // Some shells stay, take Ctrl-C for themselves too, and end with a status of their own.
    const command = `exec ${words}`;
    // A pseudo-terminal, by the program that every Debian has.
    this.#child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
      env: { ...env, TMPDIR: folder, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#shown += chunk.toString()));
    this.#ended = once(this.#child, 'exit');
  }

  /** All that it has shown, as text. */
  get shown(): string {
    return stripVTControlCharacters(this.#shown);
  }

  /** Waits until it has shown something. @returns the first group @throws Error when it ends before */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.shown);
      if (found !== null) return found[1] ?? found[0];
      if (this.#child.exitCode !== null) throw new Error(`it ended by itself: ${this.shown}`);
      await Promise.race([once(this.#child.stdout ?? this.#child, 'data'), this.#ended]);
    }
  }

  /** Ctrl-C. @returns its exit code */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.stdin?.write('\u0003');
    await this.#ended;
    return this.#child.exitCode;
  }
}
