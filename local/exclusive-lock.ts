import { DatabaseSync } from 'node:sqlite';

/** A lock that the operating system gives back when its holder dies, in whatever way. */
export interface ExclusiveLock {
  release(): void;
}

/** Takes the lock on `file`, or nothing when a living process holds it. SQLite's file lock is the mechanism. */
export function tryLock(file: string): ExclusiveLock | undefined {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch {
    database.close();
    return undefined;
  }
  return {
    release: () => {
      database.close();
    },
  };
}

/** Waits for the lock on `file`, in milliseconds at most `limitMs`; nothing when it was not to be had. */
export async function waitForLock(file: string, limitMs: number): Promise<ExclusiveLock | undefined> {
  const limit = Date.now() + limitMs;
  for (;;) {
    const lock = tryLock(file);
    if (lock !== undefined || Date.now() > limit) return lock;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
