/** What a move costs on AWS, at list prices: `npm run cost`. docs/cost.md says what is counted, and what is not. */
import { Command } from 'commander';
import { wholeNumber } from '../local/whole-number.ts';
import { measureHour, measureSteps } from './cost-engine.ts';
import { measureBatch, type BatchUse } from './cost-fleet.ts';
import {
  bill,
  dollars,
  engineAlone,
  nothing,
  others,
  twelveSteps,
  type EngineUse,
  type Use,
} from './cost-model.ts';
import { FleetFailed } from './fleet-operator.ts';

interface Options {
  readonly endpoints: number;
  readonly hosts: number;
  readonly permits: number;
  readonly minutes: number;
  readonly engineOnly: boolean;
  readonly json: boolean;
}

/** Endpoints that `transfer-endpoint` takes into one invocation. */
const together = 10;
const copyMemoryGb = 1;

async function run(options: Options): Promise<void> {
  const say = (line: string): void => {
    (options.json ? console.error : console.log)(line);
  };
  const steps = await measureSteps(twelveSteps.workMs);
  const hour = hourOf(await measureHour());
  const alone = engineAlone(twelveSteps, steps, 1);
  const abreast = engineAlone(twelveSteps, steps, together);
  const batch = options.engineOnly ? undefined : await measureBatch(options, say);
  if (options.json) {
    const figures = { steps, alone: dollars(alone), abreast: dollars(abreast), hour: dollars(hour) };
    console.log(JSON.stringify({ ...figures, others: others(twelveSteps), batch }));
    return;
  }
  const { steps: count, workMs, memoryGb } = twelveSteps;
  say(`\nDollars per million: ${String(count)} steps of ${String(workMs)} ms each, ${String(memoryGb)} GB\n`);
  for (const { name, dollars: price } of others(twelveSteps)) say(row(name, price));
  say(row('the step engine alone, one task in an invocation', dollars(alone)));
  say(row(`the step engine alone, ${String(together)} tasks in an invocation`, dollars(abreast)));
  say(
    `\n  of the engine: ${String(steps.writeUnits)} write units of the task, ${String(steps.dueUnits)} of byDue, ${String(steps.messages)} messages, ${String(steps.invocations)} invocations`,
  );
  explain('An hour of copying, added to a move that is alone in its invocation', hour);
  if (batch !== undefined) show(batch);
}

/** An hour in which a function works on one move only. */
function hourOf({ writeUnits, dueUnits, reads, messages, invocations }: EngineUse): Use {
  return {
    ...nothing,
    queueRequests: 3 * messages,
    invocations,
    gigabyteSeconds: 3_600 * copyMemoryGb,
    writeUnits: writeUnits + dueUnits,
    readUnits: reads,
  };
}

function show({ use, unitsOf, unitsOfIndex, secondsOf, cpuMs }: BatchUse): void {
  explain('A move of the simulated engine as a whole, in a batch', use);
  list('write units of the table', unitsOf);
  list('write units of indexes', unitsOfIndex);
  list('gigabyte-seconds', secondsOf);
  console.log(`\n  milliseconds of CPU of all functions: ${cpuMs.toFixed(0)}`);
}

function explain(title: string, use: Use): void {
  console.log(`\n${title}:\n`);
  for (const { line, dollars: price } of bill(use))
    if (price > 0) console.log(row(`${use[line].toFixed(2).padStart(9)} ${line}`, price));
  console.log(row('together', dollars(use)));
}

function list(title: string, figures: Readonly<Record<string, number>>): void {
  console.log(`\n  ${title}:`);
  const some = Object.entries(figures).filter(([, figure]) => figure >= 0.005);
  for (const [name, figure] of some.sort(([, one], [, other]) => other - one))
    console.log(`${figure.toFixed(2).padStart(11)} ${name}`);
}

const row = (name: string, price: number): string => `  ${name.padEnd(56)} $${price.toFixed(2).padStart(10)}`;

const whole = wholeNumber(1);

const options = new Command('cost')
  .description('Counts what moves use of AWS, and prints what a million of them cost at list prices.')
  .option('--endpoints <n>', 'moves of the batch', whole, 200)
  .option('--hosts <n>', 'hosts; the first half of them is emptied', whole, 8)
  .option('--permits <n>', 'moves out of and into a host at once', whole, 10)
  .option('--minutes <n>', 'patience', whole, 10)
  .option('--engine-only', 'without a batch on the embedded cloud', false)
  .option('--json', 'print one line of JSON last', false)
  .parse()
  .opts<Options>();

try {
  await run(options);
} catch (error) {
  if (!(error instanceof FleetFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
