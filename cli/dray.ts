#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { compileCache } from '../local/compile-cache.ts';

enableCompileCache(compileCache);
const { main } = await import('./main.ts');

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// A reader that has seen enough (`dray … | head`) is no reason to complain.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onInterrupt: (then) => {
    for (const signal of signals) process.on(signal, then);
    return () => {
      for (const signal of signals) process.off(signal, then);
    };
  },
});
