import { expect, test } from '@jest/globals';
import { readDocument } from '../support/markdown.ts';

/** Of each block of resources/stages.yml its figures, as texts. */
function figures(): Map<string, Map<string, string>> {
  const blocks = new Map<string, Map<string, string>>();
  let block = new Map<string, string>();
  for (const line of readDocument('resources/stages.yml').split('\n')) {
    const [, head] = /^(\w+):/.exec(line) ?? [];
    if (head !== undefined) {
      block = new Map();
      blocks.set(head, block);
    }
    const [, name, value = ''] = /^ {2}(\w+): (.*)$/.exec(line) ?? [];
    if (name !== undefined) block.set(name, value.replaceAll("'", ''));
  }
  return blocks;
}

const said: Readonly<Record<string, string>> = {
  '${sls:stage}': 'the stage',
  '': 'none named',
  '>-': '[JSON](../resources/stages.yml)',
};

test('docs/deploy.md has every parameter of a stage, with what it is in each', () => {
  const blocks = figures();
  const columns = ['default', 'staging', 'prod'];
  const names = [...(blocks.get('default')?.keys() ?? [])];
  expect(names.length).toBeGreaterThan(50);
  const rows = new Map(
    [...readDocument('docs/deploy.md').matchAll(/^\| `(\w+)`(.*)$/gm)].map(([, name = '', rest = '']) => [
      name,
      rest
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    ]),
  );
  for (const name of names) {
    const values = columns.map((stage) => {
      const value = blocks.get(stage)?.get(name);
      return value === undefined ? '' : (said[value] ?? value);
    });
    expect({ name, values: rows.get(name) }).toEqual({ name, values });
  }
  // dev is what every stage is by default, and the table says so by having no column for it.
  expect(blocks.get('dev')?.size).toBe(0);
});
