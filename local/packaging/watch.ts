import { join } from 'node:path';
import { watch } from 'chokidar';
import { PACKAGE_SOURCES } from './sources.ts';

/** A watch on the sources of a package. */
export interface SourceWatch {
  stop(): Promise<void>;
}

/** Edits that follow each other within this time are one change. */
const SETTLE_MS = 150;

/** Calls `changed` after the sources were edited; never two calls at once. */
export function watchSources(root: string, changed: () => Promise<void>): SourceWatch {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  function run(): void {
    if (running !== undefined) {
      again = true;
      return;
    }
    running = changed().finally(() => {
      running = undefined;
      if (!again) return;
      again = false;
      run();
    });
  }

  const watcher = watch(
    PACKAGE_SOURCES.map((source) => join(root, source)),
    { ignoreInitial: true },
  );
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(run, SETTLE_MS);
  });
  return {
    stop: async () => {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
