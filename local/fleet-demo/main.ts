/**
 * A fleet in command: fifty simulated hosts with five thousand endpoints, and three PostgreSQL hosts with live
 * writers, through a drain, a failure, an alarm, a pause, a drain that cannot be done, and a manifest.
 *
 *     npm run fleet-demo -- [--hosts 50] [--endpoints 5000] [--json]
 *
 * Ends with 0 only if every batch has come to its end, every promise was kept, and nothing is left behind.
 */
import { parseArgs } from 'node:util';
import { createTerminal } from '../../cli/terminal.ts';
import { styled } from '../../cli/text.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { twelveTenants } from '../demo/tenants.ts';
import { acts } from './acts.ts';
import { Stage } from './stage.ts';
import { judge } from './verdict.ts';

const { values: options } = parseArgs({
  options: {
    hosts: { type: 'string', default: '50' },
    endpoints: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  },
});

const terminal = createTerminal({
  stdout: options.json ? process.stderr : process.stdout,
  stderr: process.stderr,
  env: process.env,
});
const say = (line: string): void => {
  terminal.line(styled('faint', `  ${line}`));
};
const headline = (line: string): void => {
  terminal.line(styled('strong', line));
};
/** Of the demo's twelve tenants, at a tenth of their size. */
const tenants = twelveTenants(0.1).slice(0, 4);

headline('Raising the stage: the embedded cloud, the simulated fleet, three PostgreSQL hosts');
const stage = await Stage.set({
  hosts: Number(options.hosts),
  endpoints: Number(options.endpoints),
  tenants,
  say,
});
try {
  await stage.scene.startWriters();
  stage.simulated.write(200);
  const since = performance.timeOrigin + performance.now();
  const batches: BatchId[] = [];
  for (const { title, play } of acts) {
    headline(title);
    batches.push(...(await play(stage)).batches);
  }
  headline('Waiting until everything has come to its end');
  const verdict = await judge(stage, batches, since);
  for (const line of verdict.lines) say(line);
  for (const fault of verdict.faults) terminal.line(styled('bad', `  ✗ ${fault}`));
  if (verdict.faults.length === 0) headline('Every batch has ended, and every promise was kept');
  if (options.json) process.stdout.write(`${JSON.stringify(verdict.report)}\n`);
  process.exitCode = verdict.faults.length === 0 ? 0 : 1;
} finally {
  await stage.strike();
}
