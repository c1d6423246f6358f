/** One enforcement of one invariant, how to take it away, and the test that must fail then. */
export interface Removal {
  /** Unique; what `--only` takes. */
  readonly name: string;
  /** The number of the invariant in docs/SPEC.md. */
  readonly invariant: number;
  /** What is enforced: a sentence, as it stands in docs/SPEC.md. */
  readonly enforces: string;
  readonly file: string;
  /** Where in the file: a name that stands in it. */
  readonly symbol: string;
  /** The enforcement's exact text, once in the file, … */
  readonly from: string;
  /** … and the text without it: it compiles, so that nothing but the enforcement is missing. */
  readonly to: string;
  readonly test: string;
  /** The whole name of the test, with those of the blocks around it. */
  readonly testName: string;
  /** Quick enough to be tried with every run of the tests. */
  readonly daily?: true;
}

/** Removals that share a file or a test. */
export function removals<Shared extends Partial<Removal>>(
  shared: Shared,
  list: readonly (Omit<Removal, keyof Shared> & Partial<Removal>)[],
): readonly (Shared & Omit<Removal, keyof Shared> & Partial<Removal>)[] {
  return list.map((each) => ({ ...shared, ...each }));
}

/** The text of the file without the enforcement. @throws RangeError when it is not there exactly once */
export function withoutEnforcement({ name, file, from, to }: Removal, text: string): string {
  const parts = text.split(from);
  const [before, after] = parts;
  if (parts.length !== 2 || before === undefined || after === undefined) {
    const found = parts.length === 1 ? 'is not there' : `is there ${String(parts.length - 1)} times`;
    throw new RangeError(
      `removal "${name}" does not apply: its text ${found} in ${file}. Write it anew: ${JSON.stringify(from)}`,
    );
  }
  return `${before}${to}${after}`;
}

/** How docs/SPEC.md lists it. */
export function specLine({ name, enforces, file, symbol, test, testName }: Removal): string {
  return `- ${enforces} \`${file}\` (\`${symbol}\`) · removal \`${name}\` · \`${test}\`: “${testName}”`;
}
