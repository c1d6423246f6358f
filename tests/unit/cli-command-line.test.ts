import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { main } from '../../cli/main.ts';
import { nameFor } from '../../cli/name-for.ts';
import { joinWords } from '../../cli/program.ts';
import { splitPassword } from '../../cli/split-password.ts';
import { didYouMean } from '../../cli/suggest.ts';
import { quoted } from '../../cli/verbs/env.ts';
import { isEndpointName } from '../../shared/domain/ids.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { Captured } from '../support/captured-terminal.ts';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function dray(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'dray-nothing-'));
  const stdout = new Captured();
  const stderr = new Captured();
  const code = await main({
    argv,
    env: { DRAY_STATE_DIR: folder, ...env },
    stdin: Readable.from([]),
    stdout,
    stderr,
    onInterrupt: () => () => undefined,
  });
  await rm(folder, { recursive: true });
  return { code, out: stdout.text, err: stderr.text };
}

describe('the command line', () => {
  it('is told what was meant by a wrong word', async () => {
    expect(await dray(['mov', 'shop'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean move?'),
    });
    expect(await dray(['host', 'lst'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean list?'),
    });
    expect(await dray(['move', 'shop', '--wiat'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean --wait?'),
    });
  });

  it.each([
    [['move']],
    [['drain', 'a']],
    [['host']],
    [['host', 'add', 'a']],
    [['move', 'a b', '--to', 'c']],
    [['move', 'shop', '--retention', 'soon']],
    [['move', 'shop', '--offline', 'maybe']],
    [['host', 'add', 'a', '--url', 'postgres://x@y/z', '--capacity', 'lots']],
    [['batch', 'show', 'shop']],
    [['endpoint', 'change', 'shop', '--spread', 'zones']],
    [['plan', 'relieve', 'a']],
    [['relieve', 'a', '--under', '170%', '--reason', 'x']],
    [['plan', 'where']],
    [['endpoint', 'change', 'shop', '--without', 'labels']],
    [['move', 'show', 'shop', '--state-dir', '/nonexistent']],
    [['up', '--port', '99999']],
    [['publish']],
    [['knob', 'speed', '1', '--reason', 'x']],
    [['knob', 'movesInAll', '5']],
    [['manifest', 'put', 'a.csv', '--bad-lines', 'maybe']],
    [['manifest', 'put', '/nonexistent/a.csv']],
    [['pause', '--reason', 'x']],
    [['pause', '--all']],
    [['batch', 'pause', 'bt_00000000000000000000']],
    [['batch', 'cancel', 'shop', '--reason', 'x']],
    [['move', 'hold', 'shop', '--reason', 'x']],
    [['move', 'shop', '--start', 'soon']],
  ])('that cannot mean anything ends with 2: dray %j', async (argv) => {
    const { code, out, err } = await dray(argv);
    expect([argv, code]).toEqual([argv, 2]);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('gives help with examples, and ends with 0', async () => {
    for (const argv of [['--help'], ['move', '--help'], ['help', 'move'], ['move', 'show', '--help']]) {
      const { code, out } = await dray(argv);
      expect([argv, code, out.startsWith('Usage: dray')]).toEqual([argv, 0, true]);
    }
    expect((await dray(['move', '--help'])).out).toContain('dray move shop --to b --wait');
  });

  it('says what to do when nothing runs, to people and to programs', async () => {
    const told = await dray(['host', 'list']);
    expect(told).toMatchObject({ code: 1, out: '' });
    expect(told.err).toContain('error cloud-not-running');
    expect(told.err).toContain('what next: start one in another terminal: npx dray up');
    const { code, out, err } = await dray(['host', 'list', '--json']);
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'cloud-not-running', cure: expect.any(String) } });
  });

  it('names the variables that are missing when only some are set', async () => {
    const { err } = await dray(['host', 'list'], { DRAY_TABLE_NAME: 't', DRAY_INSTALLATION: 'x' });
    expect(err).toContain(
      'not DRAY_CLAIMS_BUCKET, DRAY_MANIFESTS_BUCKET, DRAY_REQUESTS_TOPIC_ARN, DRAY_HOST_CHANGES_TOPIC_ARN',
    );
  });

  it('lets no control character of its own arguments through', async () => {
    const { err } = await dray(['\u001b[31mred']);
    expect(err).toContain('\\x1b[31mred');
    expect(err).not.toContain('\u001b');
  });
});

describe('move and move show', () => {
  it.each([
    [
      ['move', 'show', 'mv_1'],
      ['move show', 'mv_1'],
    ],
    [
      ['--state-dir', 'x', 'move', 'show', 'mv_1'],
      ['--state-dir', 'x', 'move show', 'mv_1'],
    ],
    [
      ['--state-dir=x', 'move', 'show', 'mv_1'],
      ['--state-dir=x', 'move show', 'mv_1'],
    ],
    [
      ['help', 'move', 'show'],
      ['help', 'move show'],
    ],
    [
      ['move', '--to', 'b', 'show'],
      ['move', '--to', 'b', 'show'],
    ],
    [
      ['move', 'reverse', 'mv_1', '--reason', 'x'],
      ['move reverse', 'mv_1', '--reason', 'x'],
    ],
    [
      ['move', '--to', 'b', 'hold'],
      ['move', '--to', 'b', 'hold'],
    ],
    [
      ['move', '--', 'show'],
      ['move', '--', 'show'],
    ],
    [
      ['move', '--to', 'b', '--', 'show', 'move'],
      ['move', '--to', 'b', '--', 'show', 'move'],
    ],
    [
      ['move', 'shop', 'show'],
      ['move', 'shop', 'show'],
    ],
    [
      ['endpoint', 'add', 'move', 'show'],
      ['endpoint', 'add', 'move', 'show'],
    ],
    [
      ['explain', 'move'],
      ['explain', 'move'],
    ],
    [[], []],
  ])('%j is read as %j', (argv, words) => {
    expect(joinWords(argv)).toEqual(words);
  });
});

describe('names for databases', () => {
  const name = (database: string, host?: string): string => nameFor(machineChance, database, host);

  it('are their own where they can be', () => {
    expect(name('shop_1')).toBe('shop_1');
    expect(name('Ünï "q" tenant')).toMatch(/^Uni-q-tenant-[0-9a-f]{6}$/);
    expect(name('租户')).toMatch(/^endpoint-[0-9a-f]{6}$/);
    expect(name('shop', 'b')).toMatch(/^shop-[0-9a-f]{6}$/);
    expect(name('a b')).not.toBe(name('a-b '));
  });

  it('are names, whatever the database is called, and the same each time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }),
        fc.option(fc.string()),
        (database, host) => {
          const one = name(database, host ?? undefined);
          expect(isEndpointName(one)).toBe(true);
          expect(name(database, host ?? undefined)).toBe(one);
        },
      ),
    );
  });
});

describe('passwords in urls', () => {
  it('are taken out, as they are meant', () => {
    expect(splitPassword('postgres://mover:p%40ss%3Aword@h:5432/db?sslmode=require')).toEqual({
      url: 'postgres://mover@h:5432/db?sslmode=require',
      password: 'p@ss:word',
    });
    expect(splitPassword('postgres://mover:100%25@h/db').password).toBe('100%');
    expect(splitPassword('postgres://mover@h/db')).toEqual({
      url: 'postgres://mover@h/db',
      password: undefined,
    });
    expect(splitPassword('no url')).toEqual({ url: 'no url', password: undefined });
  });

  it('never stay, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((text) => text.isWellFormed()),
        (password) => {
          const split = splitPassword(`postgres://mover:${encodeURIComponent(password)}@h:1/db`);
          expect(split).toEqual({ url: 'postgres://mover@h:1/db', password });
        },
      ),
    );
  });
});

describe('suggestions', () => {
  it('are near what was written', () => {
    expect(didYouMean('shoop', ['crm', 'shop'], 'look')).toBe('did you mean shop? Else look');
    expect(didYouMean('sohp', ['crm', 'shop'], 'look')).toContain('shop');
    expect(didYouMean('warehouse', ['crm', 'shop'], 'look')).toBe('look');
    expect(didYouMean('x', [], 'look')).toBe('look');
  });
});

describe('values for a shell', () => {
  it('are quoted whatever is in them', () => {
    expect(quoted(`it's $HOME`)).toBe(`'it'\\''s $HOME'`);
  });
});
