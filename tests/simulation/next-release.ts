import { cp, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import type { Generation } from './generation.ts';

const root = resolve(import.meta.dirname, '../..');

/** What the next release has more: attributes at the top of a row, inside of others and in lists, a field of messages. */
const changes: readonly { readonly file: string; readonly from: string; readonly to: string }[] = [
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
  {
    file: 'tests/simulation/ports.ts',
    from: 'bus.sendWork(message, afterMs)',
    to: "bus.sendWork({ ...message, trace: 'aa-1' }, afterMs)",
  },
];

/** What has to be another module in the next release: what has changed, and what builds upon it. All else is common. */
const ownFolders = ['shared/aws', 'shared/workflow', 'shared/contracts/rows', 'tests/simulation'];
const ownFiles = [
  'shared/contracts/messages.ts',
  'tests/support/memory-journal.ts',
  'tests/support/memory-permits.ts',
  'tests/support/memory-store.ts',
];

const loaded = z.object({
  generation: z.custom<Generation>((it) => typeof it === 'object' && it !== null && 'handle' in it),
});

/** A copy of the sources as they will be, made by small changes to those of today. */
export class NextRelease {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<NextRelease> {
    const folder = await mkdtemp(join(tmpdir(), 'drayage-next-'));
    await symlink(await realpath(join(root, 'node_modules')), join(folder, 'node_modules'));
    await cp(join(root, 'package.json'), join(folder, 'package.json'));
    for (const part of [...ownFolders, ...ownFiles])
      await cp(join(root, part), join(folder, part), { recursive: true });
    for (const holder of ['shared', 'shared/contracts', 'tests/support']) {
      for (const name of await readdir(join(root, holder))) {
        const part = `${holder}/${name}`;
        if (![...ownFolders, ...ownFiles].some((own) => own === part || own.startsWith(`${part}/`)))
          await symlink(join(root, part), join(folder, part));
      }
    }
    for (const { file, from, to } of changes) {
      const text = await readFile(join(folder, file), 'utf8');
      if (text.split(from).length !== 2) throw new RangeError(`${file} does not have once: ${from}`);
      await writeFile(join(folder, file), text.replace(from, to));
    }
    return new NextRelease(folder);
  }

  async load(): Promise<Generation> {
    const module: unknown = await import(join(this.#folder, 'tests/simulation/generation.ts'));
    return loaded.parse(module).generation;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
