import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import * as z from 'zod';
import { buildProgram, joinWords } from '../../cli/program.ts';
import { Session } from '../../cli/session.ts';
import { Captured } from '../support/captured-terminal.ts';
import { codeIn, readDocument, sectionsOf } from '../support/markdown.ts';
import { runbookRules } from './rules/runbook.ts';
import { idsOf, packagedTemplate } from './template.ts';

const resources = join(import.meta.dirname, '..', '..', 'resources');
const resourceFile = z.object({
  ofTargets: z.custom<(context: object) => Promise<{ readonly Resources: object }>>(
    (it) => typeof it === 'function',
  ),
});

test('alarms of hosts and zones that a stage names lead into the runbook too', async () => {
  const { ofTargets } = resourceFile.parse(createRequire(import.meta.url)(join(resources, 'alarms.cjs')));
  const { Resources } = await ofTargets({
    resolveVariable: async (name: string) =>
      name === 'param:alarmedHosts' ? 'a' : name === 'param:alarmedZones' ? 'z1' : '60',
  });
  const template = packagedTemplate.parse({ Resources, Outputs: {} });
  expect(idsOf(template, 'AWS::CloudWatch::Alarm')).toHaveLength(4);
  expect(runbookRules.flatMap(({ faults }) => faults(template))).toEqual([]);
});

const symptoms = sectionsOf(readDocument('docs/runbook.md')).filter(({ rank }) => rank === 3);

test.each(symptoms)('the runbook says of $anchor all that whoever is woken needs', ({ text }) => {
  const said = [...text.matchAll(/^\*\*(.*?)\.\*\*/gm)].map(([, label]) => label);
  expect(said).toEqual([
    'What it means',
    'What clients feel',
    'How to look',
    'What to do',
    'When it is over',
  ]);
});

const program = buildProgram(
  new Session({
    argv: [],
    env: {},
    stdin: Readable.from([]),
    stdout: new Captured(),
    stderr: new Captured(),
    onInterrupt: () => () => undefined,
  }),
);

/** What is wrong with a command that a document tells people to give; undefined: there is such a one. */
function faultOf(line: string): string | undefined {
  const [, ...words] = line.split(' ').filter((word) => word !== '');
  let command: Command = program;
  for (const word of joinWords(words.filter((each, at) => !isGlobal(each) && !isGlobal(words[at - 1])))) {
    const next = command.commands.find((each) => each.name() === word);
    if (next !== undefined) command = next;
    else if (command.commands.length > 0 && command.registeredArguments.length === 0)
      return `there is no ${word} in ${line}`;
    else if (word.startsWith('--') && !command.options.some(({ long }) => long === word))
      return `there is no ${word} in ${line}`;
  }
  return command === program ? `${line} names no verb` : undefined;
}

const isGlobal = (word: string | undefined): boolean =>
  program.options.some(({ long }) => long !== undefined && long === word);

test.each(['docs/runbook.md', 'docs/deploy.md'])('every command that %s names is one of dray', (path) => {
  const commands = codeIn(readDocument(path))
    .map((line) => line.replace(/^npx /, '').replace(/ +#.*$/, ''))
    .filter((line) => line.startsWith('dray '));
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.flatMap((line) => faultOf(line) ?? [])).toEqual([]);
});

test('a command that there is not is noticed', () => {
  expect(faultOf('dray mov shop')).toBe('there is no mov in dray mov shop');
  expect(faultOf('dray host lst')).toBe('there is no lst in dray host lst');
  expect(faultOf('dray status --chek')).toBe('there is no --chek in dray status --chek');
  expect(faultOf('dray --stage prod move show mv_1 --json')).toBeUndefined();
});
