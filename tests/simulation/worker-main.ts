import { parentPort } from 'node:worker_threads';
import { taskSchema, type Report } from './many.ts';
import { simulate } from './simulate.ts';
import { judge } from './verdict.ts';

/** Runs the seeds that it is given, one after the other. */
parentPort?.on('message', (message: unknown) => {
  const { seed, isTwice } = taskSchema.parse(message);
  void (isTwice ? judge(seed) : simulate(seed).then((outcome) => ({ outcome, broken: outcome.broken }))).then(
    ({ outcome, broken }) => {
      const { hosts, events, moves, moved, writes, planned, struck } = outcome;
      const report: Report = {
        seed,
        hosts,
        events,
        moves,
        moved,
        writes,
        planned,
        struck: struck.length,
        broken: broken ?? null,
      };
      parentPort?.postMessage(report);
    },
  );
});
