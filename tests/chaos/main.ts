/**
 * Moves live databases while function processes are killed or stopped past their lease and continued, and hosts
 * restart, crash or stand still:
 *
 *     npm run chaos -- --json [--seed N] [--moves 12] [--minutes 5] [--kill-rate 1] [--host-faults 2] [--scale 1]
 *
 * `--kill-rate` is strikes a second at function processes, `--host-faults` faults of hosts a minute. With
 * `--json` the last line is the outcome; the status is 0 only if nothing was lost, doubled or reordered, every table that
 * nobody writes to is as it was, no move is stuck and nothing is left on any host.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sumAudits } from '../../local/demo/audit.ts';
import { Scene } from '../../local/demo/scene.ts';
import { isVerified } from '../../local/demo/summary.ts';
import { twelveTenants } from '../../local/demo/tenants.ts';
import { isArrived } from '../../shared/workflow/explain/batch-snapshot.ts';
import { labelOf } from '../../shared/domain/move.ts';
import { Dice } from '../support/dice.ts';
import { wreak } from '../support/havoc.ts';
import { leftBehind } from '../support/left-behind.ts';
import { troubleHosts } from './host-faults.ts';
import { moveAround } from './rounds.ts';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    moves: { type: 'string', default: '12' },
    minutes: { type: 'string', default: '5' },
    'kill-rate': { type: 'string', default: '1' },
    'host-faults': { type: 'string', default: '2' },
    /** Of the tenants' sizes; 1 is about 300 MB in all. */
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const seed = Number(options.seed);
const moves = Number(options.moves);
const killRate = Number(options['kill-rate']);
const hostFaults = Number(options['host-faults']);

/** Longer than any lease of the embedded cloud. */
const STOPPED_MS = 7_000;
/** What a retirement, or a sweep, may still clear up after the last move. */
const TIDY_MS = 60_000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
say(
  `seed ${String(seed)}: npm run chaos -- --seed ${String(seed)} --moves ${options.moves} --scale ${options.scale}`,
);

const tenants = twelveTenants(Number(options.scale)).slice(0, Math.max(1, Math.min(12, moves)));
const scene = await Scene.set({ tenants, say });
try {
  process.exitCode = await run();
} finally {
  await scene.strike();
}

async function run(): Promise<number> {
  const dice = new Dice(seed);
  const writers = await scene.startWriters();
  while (writers.tally().filter(({ lines }) => lines > 0).length < tenants.length) await sleep(50);
  const since = performance.timeOrigin + performance.now();
  const calm =
    killRate > 0 ? wreak(scene.cloud, { seed, everyMs: 1_000 / killRate, stoppedMs: STOPPED_MS }) : undefined;
  const heal =
    hostFaults > 0 ? troubleHosts(scene.servers, { everyMs: 60_000 / hostFaults, dice }) : undefined;
  const made = await moveAround(scene, {
    moves,
    until: Date.now() + Number(options.minutes) * 60_000,
    dice,
  });
  const havoc = await calm?.();
  const faults = await heal?.();
  say(`${String(made.all.length)} moves have ended; checking histories, tables and hosts`);

  const orphans = await untilTidy();
  const results = await scene.check({ moves: [...made.last.values()] }, since, (faults?.crashes ?? 0) > 0);
  const audit = sumAudits(results.map((result) => result.audit));
  const count = (label: string): number =>
    made.all.filter(({ execution }) => labelOf(execution) === label).length;
  const differing = results.filter((result) => !isVerified(result));
  for (const { move, differences } of differing)
    say(`${move.endpoint} (${move.id}): ${differences.join('; ')}`);
  for (const name of orphans) say(`left behind: ${name}`);
  const outcome = {
    moves: made.all.length,
    kills: (havoc?.killed ?? 0) + (havoc?.stopped ?? 0),
    hostFaults: faults?.faults ?? 0,
    moved: made.all.filter(({ execution }) => isArrived(labelOf(execution))).length,
    rolledBack: count('rolled-back'),
    stuck: count('stuck'),
    writes: {
      acknowledged: audit.acknowledged,
      lost: audit.lost,
      duplicated: audit.duplicated + audit.altered,
      reordered: audit.reordered,
    },
    differing: differing.length,
    orphans: orphans.length,
    seed,
  };
  process.stdout.write(`${options.json ? JSON.stringify(outcome) : JSON.stringify(outcome, undefined, 2)}\n`);
  const { lost, duplicated, reordered } = outcome.writes;
  const wrong = lost + duplicated + reordered + outcome.stuck + outcome.orphans + outcome.differing;
  return wrong === 0 && outcome.moves > 0 ? 0 : 1;
}

/** What is still on the hosts when nothing more goes. */
async function untilTidy(): Promise<string[]> {
  const until = Date.now() + TIDY_MS;
  for (;;) {
    const left = (await Promise.all(scene.servers.map((server) => leftBehind(server)))).flat();
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(1_000);
  }
}
