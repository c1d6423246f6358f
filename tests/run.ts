import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CALL_LOG_FOLDER } from '../local/servers/call-log.ts';

/**
 * Runs the suites: `npm test`, or `npm test -- tests/unit` for a part of them. Everything after `--` is jest's. What
 * functions have asked of AWS's services meanwhile is held against their roles at the end.
 */
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
// One more than there are cores: a fifth of the time of two the cores are idle.
const workers = String(Math.min(3, availableParallelism() + 1));

// Whoever names a folder keeps the notes, and may add those of other runs.
const kept = process.env[CALL_LOG_FOLDER];
const calls = kept ?? mkdtempSync(join(tmpdir(), 'drayage-calls-'));
const asked = process.argv.slice(2);

const child = spawn(process.execPath, [jest, '--maxWorkers', workers, ...asked], {
  stdio: 'inherit',
  env: {
    ...process.env,
    [CALL_LOG_FOLDER]: calls,
    // The code and its tests are ES modules.
    NODE_OPTIONS: [
      process.env['NODE_OPTIONS'],
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
    ]
      .filter((option) => option !== undefined)
      .join(' '),
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    child.kill(signal);
  });
}
child.on('exit', (code) => {
  const whole = asked.length === 0 && code === 0 ? ['--whole'] : [];
  const judge = join(import.meta.dirname, 'roles', 'main.ts');
  const { status } = spawnSync(process.execPath, [judge, calls, ...whole], { stdio: 'inherit' });
  if (kept === undefined) rmSync(calls, { recursive: true, force: true });
  if (process.env['DRAYAGE_TESTS'] !== 'all')
    console.log('What takes long was skipped, and tables were shortened: npm run test:all runs all of it.');
  process.exitCode = code === 0 ? (status ?? 1) : (code ?? 1);
});
