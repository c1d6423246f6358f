import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { readDocument } from '../support/markdown.ts';

const root = resolve(import.meta.dirname, '../..');
const text = readDocument('docs/threat-model.md');

/** `tests/…`: “one”, “another”. */
const claims = [
  ...text.matchAll(/`(?<file>tests\/[\w/.-]+\.ts)`: (?<titles>“[^”]+”(?:, “[^”]+”)*)/g),
].flatMap(({ groups: { file = '', titles = '' } = {} }) =>
  [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
);

test('tests are named throughout', () => {
  expect(claims.length).toBeGreaterThan(40);
  // None is written in a form that is not looked up.
  expect(new Set(claims.map(({ file }) => file))).toEqual(
    new Set([...text.matchAll(/`(tests\/[\w/.-]+\.ts)`/g)].map(([, file = '']) => file)),
  );
});

test.each(claims)('what shows it is there: $file: $title', ({ file, title }) => {
  expect(readDocument(file)).toContain(title);
});

test('what stops it is there', () => {
  const paths = [...text.matchAll(/`((?:cli|functions|local|resources|shared|web)\/[\w/.-]*)`/g)].map(
    ([, path = '']) => path,
  );
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
