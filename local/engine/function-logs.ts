import type { WriteStream } from 'node:fs';
import type { StateDir } from '../state-dir.ts';

/** Who hears each line too. */
interface LineListener {
  line(functionName: string, line: string): void;
}

/** One log file per function, and whoever listens. */
export class FunctionLogs {
  readonly #dir: StateDir;
  readonly #listener: LineListener | undefined;
  readonly #files = new Map<string, Promise<WriteStream>>();

  constructor(dir: StateDir, listener: LineListener | undefined) {
    this.#dir = dir;
    this.#listener = listener;
  }

  write(name: string, line: string): void {
    this.#listener?.line(name, line);
    let file = this.#files.get(name);
    if (file === undefined) {
      file = this.#dir.openLog(name);
      this.#files.set(name, file);
    }
    void file.then((stream) => stream.write(`${line}\n`));
  }

  close(): void {
    for (const file of this.#files.values()) void file.then((stream) => stream.end());
  }
}
