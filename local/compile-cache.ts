import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps our own modules stripped of their types and compiled, so that a process starts sooner. Not
 * in the system's temporary folder, where others could put theirs.
 */
export const compileCache = fileURLToPath(
  new URL('../node_modules/.cache/drayage-compiled', import.meta.url),
);
