import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { readCatalogue, renderCatalogue } from '../support/error-catalogue.ts';
import { hostileCorpus } from '../support/hostile-corpus.ts';

const root = resolve(import.meta.dirname, '../..');
const file = join(root, 'docs/errors.md');
const catalogue = readCatalogue(root, ['shared', 'cli', 'web']);

test('every code of the sources stands in docs/errors.md, with its sentence and its cure', async () => {
  const options = await resolveConfig(file);
  const text = await format(renderCatalogue(catalogue), { ...options, filepath: file });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
  for (const { code, sentence, cure } of catalogue)
    expect({ code, sentence, cure }).not.toMatchObject({ sentence: '', cure: '' });
});

test('every code with which a hostile event is refused is in the catalogue', () => {
  const known = new Set(catalogue.map(({ code }) => code));
  const unknown = new Set(hostileCorpus().flatMap(({ code }) => (known.has(code) ? [] : [code])));
  // What the tests' own doubles say of a missing secret or driver is said elsewhere in other words.
  expect([...unknown]).toEqual([]);
});
