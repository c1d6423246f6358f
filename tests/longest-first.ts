import { statSync } from 'node:fs';
import path from 'node:path';

interface Suite {
  readonly path: string;
}

/** Suites of a minute and more. Begun last, they would end alone. */
const longest = [
  'crash-matrix',
  'driver-postgres',
  'driver-postgres-plain',
  'drain',
  'demo-drain',
  'console',
  'package',
  'cli',
  'simulation',
  'wires',
  'interference',
];

/** The order of the suites, the same in a new clone as in an old one; jest goes by the size of files there. */
export default class LongestFirst {
  sort<T extends Suite>(suites: readonly T[]): T[] {
    return [...suites].sort(
      (one, other) => rank(one) - rank(other) || statSync(other.path).size - statSync(one.path).size,
    );
  }

  /** Nothing is kept of a run: it would give the next another order. */
  cacheResults(): void {
    return;
  }
}

function rank(suite: Suite): number {
  const found = longest.indexOf(path.basename(suite.path, '.test.ts'));
  return found < 0 ? longest.length : found;
}
