import { tellFault } from './faults.ts';
import { shrink } from './shrink.ts';
import { planOf, simulate, type Outcome } from './simulate.ts';

/** What is wrong with a seed's runs; undefined: nothing. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly broken?: string;
}

/** Runs a seed twice: both must keep every promise, and be the same. */
export async function judge(seed: number): Promise<Verdict> {
  const outcome = await simulate(seed);
  if (outcome.broken !== undefined) return { outcome, broken: outcome.broken };
  const again = await simulate(seed);
  if (again.hash === outcome.hash) return { outcome };
  return { outcome, broken: `two runs differ: ${outcome.hash} and ${again.hash}` };
}

const lastLines = 60;

/** All that somebody needs who wants to know why a seed broke. */
export async function tellBroken({ outcome: { seed }, broken }: Verdict, everyLine = false): Promise<string> {
  const { plan, outcome } = await shrink(seed, planOf(seed).faults);
  const lines = everyLine ? outcome.lines : outcome.lines.slice(-lastLines);
  return [
    `seed ${String(seed)} is broken: ${broken ?? ''}`,
    `with these faults alone${outcome.broken === undefined ? '' : ` (${outcome.broken})`}:`,
    ...plan.map((fault) => `  ${tellFault(fault)}`),
    everyLine
      ? 'every event, with its time in ms:'
      : `its last ${String(lines.length)} events, with their times in ms:`,
    ...lines.map((line) => `  ${line}`),
    `repeat it with: npm run simulate -- --seed ${String(seed)}`,
  ].join('\n');
}
