import { cp, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { changesToCome, changeSources, type SourceChange } from '../support/changes-to-come.ts';
import type { Generation } from './generation.ts';

const root = resolve(import.meta.dirname, '../..');

/** Here messages are sent by the simulation's own ports. */
const changes: readonly SourceChange[] = [
  ...changesToCome,
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
    await changeSources(folder, changes);
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
