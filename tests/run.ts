import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';

/**
 * Runs the suites: `npm test`, or `npm test -- tests/unit` for a part of them. Everything after `--` is jest's.
 */
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
// One more than there are cores: a fifth of the time of two the cores are idle.
const workers = String(Math.min(3, availableParallelism() + 1));

const child = spawn(process.execPath, [jest, '--maxWorkers', workers, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    ...process.env,
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
  process.exitCode = code ?? 1;
});
