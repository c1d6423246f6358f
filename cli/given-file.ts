import { readFile } from 'node:fs/promises';
import { CliError, exit } from './cli-error.ts';

/** The content of a file that was named on the command line. @throws CliError `file-unreadable` */
export async function readGivenFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CliError(
      {
        code: 'file-unreadable',
        sentence: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        cure: 'check the path, and that you may read what is there',
      },
      exit.usage,
    );
  }
}
