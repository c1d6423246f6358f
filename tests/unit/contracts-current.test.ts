import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { generatedFolders, makeDocuments } from '../../resources/contracts/documents.ts';

const root = resolve(import.meta.dirname, '../..');
const documents = makeDocuments();

test('what is made of the contracts is as npm run contracts would make it now', () => {
  for (const [path, text] of documents)
    expect({ path, text: readFileSync(join(root, path), 'utf8') }).toEqual({ path, text });
});

test('nothing is left of contracts that are no more', () => {
  const found = generatedFolders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  );
  expect(found.filter((path) => !documents.has(path))).toEqual([]);
});
