/** Programs of others that a measurement runs, and how to come by those that are missing. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Path of a program: in one of `folders`, or else on PATH; throws with the way to install it. */
export function findProgram(name: string, cure: string, folders: readonly string[] = []): string {
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(path.delimiter)]) {
    const program = path.join(folder, name);
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  throw new Error(`${name} is not installed: ${cure}`);
}

/**
 * Runs a program to its end. Throws with what it said last when it fails.
 * @returns standard output
 */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: pgcopydb ends by sending SIGTERM to the whole of its group.
    detached: true,
  });
  const endWithUs = (): void => {
    child.kill();
  };
  process.once('exit', endWithUs);
  let output = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-4_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => process.off('exit', endWithUs));
  if (code !== 0) {
    throw new Error(
      `${path.basename(program)} ended with ${String(code)}: ${(complaint || output).trim().slice(-2_000)}`,
    );
  }
  return output;
}
