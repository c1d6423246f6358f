import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command } from 'commander';
import * as z from 'zod';
import { wholeNumber } from '../local/whole-number.ts';
import type { Selection } from '../shared/domain/batch.ts';
import { hostName } from '../shared/domain/ids.ts';
import { makePlan } from '../shared/domain/planning/make-plan.ts';
import { balanceOf } from '../shared/domain/planning/sides.ts';
import { grownFleet } from './planner-fleet.ts';
import { planInPages } from './planner-pages.ts';

/** What one process has measured. */
const figures = z.object({
  what: z.string(),
  hosts: z.number(),
  endpoints: z.number(),
  moves: z.number(),
  unplaced: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
  peakMegabytes: z.number(),
  imbalance: z.string(),
});
type Figures = z.output<typeof figures>;

const emptied = hostName('host-0');
const selections: Readonly<Record<string, Selection>> = {
  drain: { kind: 'host', host: emptied },
  relieve: { kind: 'relieve', host: emptied, under: 0.3 },
  everything: { kind: 'where', where: { size: { atLeast: 0 } } },
  rebalance: { kind: 'rebalance' },
};

/** One case, in this process: its peak of memory is the case's own. */
async function measure(what: string, hosts: number, endpoints: number): Promise<Figures> {
  const fleet = grownFleet(hosts, endpoints);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const result =
    what === 'pages' ? await planInPages(fleet) : purely(selections[what] ?? { kind: 'rebalance' });
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    what,
    hosts,
    endpoints,
    ...result,
    seconds: round(seconds),
    cpuSeconds: round((user + system) / 1e6),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
  };

  function purely(selection: Selection) {
    const plan = makePlan(selection, fleet);
    const { before, after } = balanceOf(fleet, plan);
    return {
      moves: plan.moves.length,
      unplaced: plan.unplaced.length,
      imbalance: `${before.toFixed(3)} → ${after.toFixed(3)}`,
    };
  }
}

const round = (figure: number): number => Math.round(figure * 100) / 100;

/** A heap that leaves the whole process under 512 MB, or ends it. */
const heap = '--max-old-space-size=240';

/** Each case in a process of its own, one after the other. */
async function run(endpoints: number, json: boolean): Promise<void> {
  const sizes = [endpoints / 100, endpoints / 10, endpoints].map(Math.ceil);
  const found: Figures[] = [];
  for (const what of [...Object.keys(selections), 'pages']) {
    for (const size of sizes) {
      const args = [heap, import.meta.filename, '--case', what, '--endpoints', String(size)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e7 });
      const one = figures.parse(JSON.parse(stdout));
      found.push(one);
      if (!json) print(one, found);
    }
  }
  if (json) console.log(JSON.stringify(found));
}

/** With its growth: how many times the time of the size before. */
function print(one: Figures, found: readonly Figures[]): void {
  const before = found.at(-2);
  const growth =
    before?.what === one.what ? `×${(one.cpuSeconds / Math.max(0.01, before.cpuSeconds)).toFixed(1)}` : '';
  console.log(
    [
      one.what.padEnd(10),
      `${String(one.hosts)} hosts`.padStart(10),
      `${String(one.endpoints)} endpoints`.padStart(16),
      `${String(one.moves)} moves`.padStart(13),
      `${String(one.unplaced)} without a place`.padStart(22),
      `${one.seconds.toFixed(2)} s`.padStart(9),
      `${one.cpuSeconds.toFixed(2)} s CPU`.padStart(12),
      growth.padStart(6),
      `${String(one.peakMegabytes)} MB at most`.padStart(15),
      one.imbalance === '' ? '' : `imbalance ${one.imbalance}`,
    ].join('  '),
  );
}

const whole = wholeNumber(1);

const options = new Command('planner')
  .description('Plans fleets of three sizes, a hundred endpoints a host, and prints time, memory and growth.')
  .option('--endpoints <n>', 'of the largest', whole, 100_000)
  .option('--case <what>', 'only this one, of this size, in this process, as a line of JSON')
  .option('--json', 'print one line of JSON', false)
  .parse()
  .opts<{ readonly endpoints: number; readonly case?: string; readonly json: boolean }>();

if (options.case === undefined) await run(options.endpoints, options.json);
else
  console.log(
    JSON.stringify(
      await measure(options.case, Math.max(2, Math.ceil(options.endpoints / 100)), options.endpoints),
    ),
  );
