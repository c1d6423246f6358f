import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Text that stands in a file once, and what stands there instead. */
export interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What the next release has more: attributes at the top of a row, inside of others and in lists, a field of messages. */
export const changesToCome: readonly SourceChange[] = [
  {
    file: 'shared/contracts/rows/move.ts',
    from: "  kind: z.literal('move'),\n",
    to: "  kind: z.literal('move'),\n  crew: z.exactOptional(z.string()),\n",
  },
  {
    file: 'shared/contracts/rows/move.ts',
    from: "      kind: 'move',\n      label,\n",
    to: "      kind: 'move',\n      crew: `night ${move.version}`,\n      label,\n",
  },
  {
    file: 'shared/contracts/rows/execution.ts',
    from: '  spentMs: durationField,\n};',
    to: '  spentMs: durationField,\n  pace: z.exactOptional(z.string()),\n};',
  },
  {
    file: 'shared/contracts/rows/execution.ts',
    from: '    progress: progress === undefined ? undefined : JSON.stringify(progress),\n',
    to: "    progress: progress === undefined ? undefined : JSON.stringify(progress),\n    pace: 'brisk',\n",
  },
  {
    file: 'shared/contracts/rows/cleanup.ts',
    from: '      restore: z.exactOptional(jsonField),\n',
    to: '      restore: z.exactOptional(jsonField),\n      origin: z.exactOptional(z.string()),\n',
  },
  {
    file: 'shared/contracts/rows/cleanup.ts',
    from: '  return { ...plain, restore:',
    to: "  return { ...plain, origin: 'next', restore:",
  },
  {
    file: 'shared/contracts/messages.ts',
    from: '    task: pointer,\n',
    to: '    task: pointer,\n    trace: z.string().optional(),\n',
  },
];

/** Changes a copy of the sources. @throws RangeError for a text that is not there once */
export async function changeSources(folder: string, changes: readonly SourceChange[]): Promise<void> {
  for (const { file, from, to } of changes) {
    const text = await readFile(join(folder, file), 'utf8');
    if (text.split(from).length !== 2) throw new RangeError(`${file} does not have once: ${from}`);
    await writeFile(join(folder, file), text.replace(from, to));
  }
}
