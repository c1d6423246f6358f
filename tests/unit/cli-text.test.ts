import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { readBytes, readDuration, showBytes, showDuration, showElapsed } from '../../cli/quantity.ts';
import { columns, cut, fit, paint, printable, styled, widthOf } from '../../cli/text.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { Captured } from '../support/captured-terminal.ts';

describe('text for a terminal', () => {
  it('shows control characters instead of sending them', () => {
    expect(printable('a\u001b[31mb\r\n\u0007\u009b')).toBe('a\\x1b[31mb\\x0d\\x0a\\x07\\x9b');
    expect(printable('user\u202egnp.exe')).toBe('user\\u202egnp.exe');
    expect(printable('Ünï "q" 租户 👩‍👩‍👧')).toBe('Ünï "q" 租户 👩‍👩‍👧');
  });

  it('sends nothing that steers, whatever is printed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const painted = paint([text, styled('bad', text)], false);
        expect(painted).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  it('cuts and pads to columns, wide characters and colours included', () => {
    const wide = [styled('good', '租户'), ' shop'];
    expect(widthOf(wide)).toBe(9);
    expect(paint(cut(wide, 6), false)).toBe('租户 …');
    expect(paint(cut(wide, 4), false)).toBe('租…');
    expect(paint(fit(wide, 12), false)).toBe('租户 shop   ');
    expect(paint(fit('7', 3, 'right'), false)).toBe('  7');
    expect(paint(cut(wide, 0), false)).toBe('');
  });

  it('never makes a text wider than it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, most) => {
        expect(widthOf(cut(text, most))).toBeLessThanOrEqual(most);
        expect(widthOf(fit(text, most))).toBe(most);
      }),
    );
  });

  it('puts columns below each other', () => {
    const lines = columns(
      [
        ['shop', '1', 'x'],
        ['a-longer-one', '120', 'y'],
      ],
      new Set([1]),
    );
    expect(lines.map((line) => paint(line, false))).toEqual(['shop            1  x', 'a-longer-one  120  y']);
  });
});

describe('colours', () => {
  const write = (env: Record<string, string>, isTerminal: boolean): string => {
    const stdout = new Captured(isTerminal ? { columns: 80, rows: 24 } : undefined);
    createTerminal({ stdout, stderr: stdout, env }).line(styled('bad', 'failed'));
    return stdout.text;
  };

  it('are there on a terminal only, and never with NO_COLOR', () => {
    expect(write({}, true)).toBe('\u001b[31mfailed\u001b[39m\n');
    expect(write({}, false)).toBe('failed\n');
    expect(write({ NO_COLOR: '1' }, true)).toBe('failed\n');
    expect(write({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe('failed\n');
    expect(write({ TERM: 'dumb' }, true)).toBe('failed\n');
    expect(stripVTControlCharacters(write({ FORCE_COLOR: '1' }, false))).toBe('failed\n');
  });

  it('leaves no character in JSON that steers a terminal, and the JSON is the same', () => {
    const stdout = new Captured();
    const value = { database: 'x\u001b[2J\u009b\u202e\u007f' };
    createTerminal({ stdout, stderr: stdout, env: {} }).json(value);
    expect(stdout.text.trimEnd()).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(JSON.parse(stdout.text)).toEqual(value);
  });
});

describe('quantities', () => {
  it('reads sizes as people write them', () => {
    expect(readBytes('100GB')).toBe(100e9);
    expect(readBytes('1.5 TiB')).toBe(1.5 * 2 ** 40);
    expect(readBytes('4096')).toBe(4096);
    for (const wrong of ['', 'GB', '-1', '1 potato', '1e9', '1__proto__', 'NaN']) {
      expect([wrong, readBytes(wrong)]).toEqual([wrong, undefined]);
    }
  });

  it('reads durations as people write them', () => {
    expect(readDuration('24h')).toBe(86_400_000);
    expect(readDuration('250 ms')).toBe(250);
    expect(readDuration('1.5m')).toBe(90_000);
    expect(readDuration('0')).toBe(0);
    for (const wrong of ['', '24', 'h', '-1h', '1 fortnight', '1constructor']) {
      expect([wrong, readDuration(wrong)]).toEqual([wrong, undefined]);
    }
  });

  it('shows sizes and durations in the unit that fits', () => {
    expect([0, 999, 9_249, 312_000_000, 1_240_000_000].map(showBytes)).toEqual([
      '0 B',
      '999 B',
      '9.2 kB',
      '312 MB',
      '1.2 GB',
    ]);
    expect([137, 12_340, 59_960, 80_000, 3_600_000, 12_000_000, 360_000_000].map(showDuration)).toEqual([
      '137 ms',
      '12.3 s',
      '1 min',
      '1 min 20 s',
      '1 h',
      '3 h 20 min',
      '4 d 4 h',
    ]);
    expect([7_000, 760_000, 3_760_000].map(showElapsed)).toEqual(['0:07', '12:40', '1:02:40']);
  });
});
