import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSeeds, spread } from './many.ts';
import { judge, tellBroken } from './verdict.ts';

/** `npm run simulate -- --seeds 5000 [--from 1] [--workers 2]`, or `-- --seed N` for every event of one. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
  },
});

if (values.seed === undefined)
  await runMany(Number(values.from), Number(values.seeds), Number(values.workers));
else await runOne(Number(values.seed));

async function runOne(seed: number): Promise<void> {
  const verdict = await judge(seed);
  if (verdict.broken !== undefined) {
    console.log(await tellBroken(verdict, true));
    process.exitCode = 1;
    return;
  }
  const { hash, events, moves, moved, writes, struck } = verdict.outcome;
  console.log(
    `seed ${String(seed)}: ${String(events)} events, ${String(moves)} moves (${String(moved)} moved), ${String(writes)} writes, ${String(struck.length)} faults; twice the same (${hash})`,
  );
}

async function runMany(from: number, count: number, workers: number): Promise<void> {
  const began = Date.now();
  const reports = await runSeeds({ from, count, workers, isTwice: () => true });
  const broken = reports.filter((report) => report.broken !== null);
  for (const { seed, broken: why } of broken) console.log(`seed ${String(seed)}: ${why ?? ''}`);
  const [first] = broken;
  if (first !== undefined) {
    console.log(await tellBroken(await judge(first.seed)));
    process.exitCode = 1;
  }
  console.log(
    JSON.stringify({
      seeds: reports.length,
      broken: broken.map(({ seed }) => seed),
      seconds: Math.round((Date.now() - began) / 1_000),
      events: spread(reports.map(({ events }) => events)),
      moves: spread(reports.map(({ moves }) => moves)),
      moved: reports.reduce((sum, { moved }) => sum + moved, 0),
      writes: reports.reduce((sum, { writes }) => sum + writes, 0),
      faults: spread(reports.map(({ struck }) => struck)),
    }),
  );
}
