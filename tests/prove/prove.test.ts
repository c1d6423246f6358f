import { expect, test } from '@jest/globals';
import { complaintsOf } from './compiles.ts';
import { prove, type Finding } from './prove.ts';
import { specLine, withoutEnforcement, type Removal } from './removal.ts';
import { everyRemoval } from './removals.ts';
import { sourceText } from './source-copy.ts';

const options = {
  lanes: 2,
  signal: new AbortController().signal,
  complaints: complaintsOf,
  say: () => undefined,
};

const verdicts = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ removal, verdict }) => [removal.name, verdict]));

test('every invariant has removals, each with a name of its own', () => {
  const numbers = new Set(everyRemoval.map(({ invariant }) => invariant));
  expect([...numbers]).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
  expect(new Set(everyRemoval.map(({ name }) => name)).size).toBe(everyRemoval.length);
});

test('docs/SPEC.md lists each removal under its invariant, and no others', async () => {
  const sections = (await sourceText('docs/SPEC.md')).split(/^## /m).slice(1);
  const listed = sections.flatMap((section) => {
    const invariant = Number(/^\d+/.exec(section)?.[0]);
    const lines = section.split('\n').filter((line) => line.includes(' · removal `'));
    return lines.map((line) => `${String(invariant)} ${line}`);
  });
  const wanted = everyRemoval.map((removal) => `${String(removal.invariant)} ${specLine(removal)}`);
  expect(listed.toSorted()).toEqual(wanted.toSorted());
});

test('each removal applies to the sources as they are', async () => {
  for (const removal of everyRemoval) {
    const text = await sourceText(removal.file);
    expect(text).toContain(removal.symbol);
    expect(withoutEnforcement(removal, text)).not.toBe(text);
  }
});

test('the daily removals are all noticed by their tests', async () => {
  const daily = everyRemoval.filter((removal) => removal.daily === true);
  expect(daily.length).toBeGreaterThan(5);
  // That they compile is looked at by the command.
  const findings = await prove(daily, { ...options, complaints: () => new Map() });
  const missed = findings.filter(({ verdict }) => verdict !== 'caught');
  expect(missed.map(({ removal, verdict, said }) => [removal.name, verdict, said])).toEqual([]);
}, 120_000);

test('what does not stand is told: unnoticed, stale or unproved', async () => {
  const flip = everyRemoval.find(({ name }) => name === 'flip-by-anybody');
  if (flip === undefined) throw new Error('there is no such removal');
  const variants: readonly Partial<Removal>[] = [
    {
      name: 'changes nothing',
      from: 'const tokensPerClaim = 1_000_000;',
      to: 'const tokensPerClaim = 10 ** 6;',
    },
    { name: 'is gone', from: 'this text stands nowhere' },
    { name: 'is there twice', from: "kind: 'already'" },
    { name: 'does not compile', to: 'if (nobody) ' },
    { name: 'has no test', testName: 'the arbiter is never late' },
    {
      name: 'breaks its test file',
      from: 'export function rule(',
      to: 'export const rules = rule;\nfunction rule(',
    },
  ];
  const findings = await prove(
    variants.map((variant) => ({ ...flip, ...variant })),
    options,
  );
  expect(verdicts(findings)).toEqual({
    'changes nothing': 'unnoticed',
    'is gone': 'stale',
    'is there twice': 'stale',
    'does not compile': 'stale',
    'has no test': 'unproved',
    'breaks its test file': 'unproved',
  });
  expect(findings.find(({ removal }) => removal.name === 'is gone')?.said).toContain(
    'its text is not there in shared/domain/placement.ts',
  );
}, 120_000);
