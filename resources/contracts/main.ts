// npm run contracts: writes what is made of the contracts. A test says when that is to be done.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { generatedFolders, makeDocuments } from './documents.ts';

const root = resolve(import.meta.dirname, '../..');
for (const folder of generatedFolders) rmSync(join(root, folder), { recursive: true, force: true });
for (const [path, text] of makeDocuments()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
