/**
 * Holds what functions and the API have asked of AWS's services while the suites ran against their roles as they are
 * packaged: `node tests/roles/main.ts <folder of notes> [--whole] [--rare]`. With `--whole` all suites have run, and a statement
 * of which nobody has made use is a fault too; `--rare` lists what was not asked for in statements that are used.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageService } from '../../local/packaging/package.ts';
import { notedCall } from '../../local/servers/call-log.ts';
import { readTemplate } from '../../local/template/template.ts';
import { exceptions } from './exceptions.ts';
import { judge } from './judge.ts';
import { stageRoles } from './stage-roles.ts';

const [folder = '', ...options] = process.argv.slice(2);
const isWhole = options.includes('--whole');

const calls = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  .filter((line) => line !== '')
  .map((line) => notedCall.parse(JSON.parse(line)));

if (calls.length > 0 || isWhole) {
  const { templatePath, region, stackName } = await packageService({
    root: join(import.meta.dirname, '..', '..'),
    // What the embedded cloud runs.
    stage: 'local',
    params: {},
    onPackaging: () => undefined,
  });
  const roles = stageRoles(await readTemplate(templatePath), region, stackName);
  const verdict = await judge(roles, calls, exceptions);
  const { denied, unused, rare, stale } = verdict;
  const faults = [...denied, ...(isWhole ? [...unused, ...stale] : [])];
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  if (options.includes('--rare')) for (const line of rare) process.stdout.write(`not this time: ${line}\n`);
  process.stdout.write(
    `Roles: ${String(roles.length)}, ${String(verdict.calls)} different calls, ${String(denied.length)} denied; ` +
      `${String(verdict.statements)} statements, ${isWhole ? `${String(unused.length)} unused` : 'their use is judged after all suites'}\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}
