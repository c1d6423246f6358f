import { runNamedTests, type TestEnd } from './named-tests.ts';
import { withoutEnforcement, type Removal } from './removal.ts';
import { SourceCopy, sourceText } from './source-copy.ts';

/**
 * - `caught`: the named test passes with the enforcement and fails without it
 * - `unnoticed`: it passes without it as well
 * - `stale`: the removal does not apply to the sources as they are, or what is left does not compile
 * - `unproved`: the named test is not there, does not pass with the enforcement, or did not run without it
 */
export type Verdict = 'caught' | 'unnoticed' | 'stale' | 'unproved';

export interface Finding {
  readonly removal: Removal;
  readonly verdict: Verdict;
  /** Why, in the words of the test or of the compiler. */
  readonly said: string;
  /** Of the test without the enforcement. */
  readonly seconds: number;
}

export interface ProveOptions {
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** What is wrong with the sources without an enforcement, by the removal's name. */
  readonly complaints: (removals: readonly Removal[]) => ReadonlyMap<string, string>;
  readonly say: (finding: Finding) => void;
}

/** Tries each removal; findings come in the order of the removals. */
export async function prove(
  removals: readonly Removal[],
  { lanes, signal, complaints, say }: ProveOptions,
): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>();
  const tell = (removal: Removal, verdict: Verdict, said: string, seconds = 0): void => {
    const finding = { removal, verdict, said, seconds };
    found.set(removal.name, finding);
    say(finding);
  };

  const applying: Removal[] = [];
  for (const removal of removals) {
    const why = await staleness(removal);
    if (why === undefined) applying.push(removal);
    else tell(removal, 'stale', why);
  }
  const against = complaints(applying);
  const sound = applying.filter((removal) => {
    const complaint = against.get(removal.name);
    if (complaint !== undefined)
      tell(removal, 'stale', `without it the sources do not compile: ${complaint}`);
    return complaint === undefined;
  });

  const copies = await Promise.all(Array.from({ length: lanes }, () => SourceCopy.make()));
  try {
    const whole = await withAll(copies, byTest(sound), signal);
    const waiting = [...sound];
    await Promise.all(
      copies.map(async (copy) => {
        for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
          const removal = next;
          const before = whole.get(keyOf(removal.test, removal.testName));
          if (before?.verdict !== 'passed') {
            const how = before?.verdict === 'failed' ? 'fails' : 'is not there';
            tell(removal, 'unproved', `with the enforcement its test ${how}: ${before?.said ?? 'not run'}`);
            continue;
          }
          const start = performance.now();
          const ends = await copy.without(removal, () =>
            runNamedTests(copy.folder, removal.test, [removal.testName], signal),
          );
          const seconds = (performance.now() - start) / 1_000;
          const end = ends.get(removal.testName);
          if (end?.verdict === 'failed') tell(removal, 'caught', end.said, seconds);
          else if (end?.verdict === 'passed')
            tell(removal, 'unnoticed', 'its test passes without the enforcement too', seconds);
          else
            tell(
              removal,
              'unproved',
              `without the enforcement its test did not run: ${end?.said ?? ''}`,
              seconds,
            );
        }
      }),
    );
  } finally {
    await Promise.all(copies.map((copy) => copy.remove()));
  }
  return removals.flatMap(({ name }) => found.get(name) ?? []);
}

async function staleness(removal: Removal): Promise<string | undefined> {
  try {
    const text = await sourceText(removal.file);
    if (!text.includes(removal.symbol)) return `there is no "${removal.symbol}" in ${removal.file}`;
    withoutEnforcement(removal, text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** How the named tests end with every enforcement in place. */
async function withAll(
  copies: readonly SourceCopy[],
  tests: readonly (readonly [string, readonly string[]])[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TestEnd>> {
  const ends = new Map<string, TestEnd>();
  const waiting = [...tests];
  await Promise.all(
    copies.map(async ({ folder }) => {
      for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
        const [file, names] = next;
        for (const [name, end] of await runNamedTests(folder, file, names, signal))
          ends.set(keyOf(file, name), end);
      }
    }),
  );
  return ends;
}

function byTest(removals: readonly Removal[]): (readonly [string, readonly string[]])[] {
  const names = new Map<string, Set<string>>();
  for (const { test, testName } of removals) names.set(test, (names.get(test) ?? new Set()).add(testName));
  return [...names].map(([file, of]) => [file, [...of]] as const);
}

const keyOf = (file: string, name: string): string => JSON.stringify([file, name]);
