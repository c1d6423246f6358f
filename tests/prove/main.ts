import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { complaintsOf } from './compiles.ts';
import { prove, type Finding } from './prove.ts';
import { specLine, type Removal } from './removal.ts';
import { everyRemoval } from './removals.ts';
import { table } from './table.ts';

interface Options {
  readonly only?: readonly string[];
  readonly daily: boolean;
  readonly list: boolean;
  readonly json: boolean;
  readonly lanes: number;
}

const count = (text: string): number => {
  const lanes = Number(text);
  if (Number.isInteger(lanes) && lanes > 0) return lanes;
  throw new InvalidArgumentError('it is a whole number from 1');
};

const command = new Command('prove')
  .description(
    'Takes away each enforcement of docs/SPEC.md in turn, in a copy of the sources, and expects the test that is named for it to fail.',
  )
  .option('--only <name...>', 'these removals alone')
  .option('--daily', 'those that are quick enough for every run of the tests', false)
  .option('--list', 'says what there is, as it stands in docs/SPEC.md, and tries nothing', false)
  .option('--json', 'prints one JSON object last', false)
  .option('--lanes <count>', 'how many are tried at once', count, Math.min(2, availableParallelism()))
  .parse();
const options = command.opts<Options>();
process.exitCode = await run(options);

async function run({ only, daily, list, json, lanes }: Options): Promise<number> {
  const unknown = only?.find((name) => everyRemoval.every((removal) => removal.name !== name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no removal "${unknown}": see npm run prove -- --list\n`);
    return 1;
  }
  const chosen = everyRemoval.filter(
    (removal) => (only?.includes(removal.name) ?? true) && (!daily || removal.daily === true),
  );
  if (list) {
    for (const removal of chosen)
      process.stdout.write(`${String(removal.invariant)}. ${specLine(removal)}\n`);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop.abort();
    });
  const findings = await findingsOf(chosen, lanes, stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return undefined;
    throw error;
  });
  if (findings === undefined || findings.length < chosen.length) {
    process.stderr.write('stopped before every removal was tried\n');
    return 1;
  }
  const bad = findings.filter(({ verdict }) => verdict !== 'caught');
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ removals: findings.length, caught: findings.length - bad.length, findings })}\n`,
    );
  } else {
    process.stdout.write(`${table(findings)}\n`);
    for (const { removal, verdict, said } of bad)
      process.stdout.write(`${removal.name}: ${verdict}. ${said}\n`);
    process.stdout.write(
      bad.length === 0
        ? `Each of ${String(findings.length)} removals was noticed by its test.\n`
        : `${String(bad.length)} of ${String(findings.length)} removals do not stand.\n`,
    );
  }
  return bad.length === 0 && findings.length > 0 ? 0 : 1;
}

/** Removals that do not apply, or do not compile, are told and not tried. */
async function findingsOf(
  removals: readonly Removal[],
  lanes: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return await prove(removals, {
    lanes,
    signal,
    complaints: complaintsOf,
    say: ({ removal, verdict, seconds }) => {
      process.stderr.write(`${verdict.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${removal.name}\n`);
    },
  });
}
