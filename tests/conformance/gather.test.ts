import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gather } from '../../shared/aws/gather.ts';

/** Calls that end when they are told to. */
function controlled() {
  const calls: { readonly items: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const perform = (items: readonly string[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      calls.push({
        items,
        end: (error) => {
          if (error === undefined) resolve(items.map((item) => `${item}!`));
          else reject(error);
        },
      });
    });
  return { calls, perform };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('what is gathered', () => {
  test('in one moment travels in one call, and each gets its own answer', async () => {
    const { calls, perform } = controlled();
    const ask = gather<string, string>({ limit: 25, lanes: 2, perform });
    const answers = Promise.all(['a', 'b', 'c'].map(ask));
    expect(calls).toHaveLength(0);
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a', 'b', 'c']]);
    calls[0]?.end();
    expect(await answers).toEqual(['a!', 'b!', 'c!']);
  });

  test('waits for a lane, and then travels with all that came meanwhile', async () => {
    const { calls, perform } = controlled();
    const ask = gather<string, string>({ limit: 25, lanes: 1, perform });
    const answers = [ask('a')];
    await turn();
    answers.push(ask('b'));
    await turn();
    answers.push(ask('c'));
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a']]);
    calls[0]?.end();
    await turn();
    expect(calls.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]);
    calls[1]?.end();
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!']);
  });

  test('never exceeds the limit, nor holds one identity twice in a call, nor loses or reorders anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (names, limit, lanes) => {
          const groups: (readonly { readonly name: string; readonly index: number }[])[] = [];
          const ask = gather<{ readonly name: string; readonly index: number }, number>({
            limit,
            lanes,
            identity: ({ name }) => name,
            perform: async (items) => {
              groups.push(items);
              await turn();
              return items.map(({ index }) => index);
            },
          });
          const answers = await Promise.all(names.map((name, index) => ask({ name, index })));
          expect(answers).toEqual(names.map((_, index) => index));
          for (const group of groups) {
            expect(group.length).toBeLessThanOrEqual(limit);
            expect(new Set(group.map(({ name }) => name)).size).toBe(group.length);
          }
          for (const each of new Set(names)) {
            const sent = groups.flat().filter(({ name }) => name === each);
            expect(sent.map(({ index }) => index)).toEqual(
              names.flatMap((name, index) => (name === each ? [index] : [])),
            );
          }
        },
      ),
    );
  });

  test('fails together with its call, and the next call is not hurt', async () => {
    const { calls, perform } = controlled();
    const ask = gather<string, string>({ limit: 25, lanes: 1, perform });
    const failed = Promise.allSettled([ask('a'), ask('b')]);
    await turn();
    const next = ask('c');
    calls[0]?.end(new Error('cut'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await turn();
    calls[1]?.end();
    expect(await next).toBe('c!');
  });

  test('is not taken as answered when fewer answers come than were asked for', async () => {
    const ask = gather<string, string>({
      limit: 25,
      lanes: 1,
      perform: async () => await Promise.resolve(['one']),
    });
    const answers = await Promise.allSettled([ask('a'), ask('b')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
