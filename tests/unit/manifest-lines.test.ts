import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { longestLine, LineSplitter, type Line } from '../../shared/workflow/manifests/lines.ts';

function linesOf(...pieces: readonly (string | Uint8Array)[]): Line[] {
  const splitter = new LineSplitter();
  const lines = pieces.flatMap((piece) =>
    splitter.push(typeof piece === 'string' ? Buffer.from(piece) : piece),
  );
  return [...lines, ...splitter.end()];
}

const text = (number: number, it: string, isEnded = true): Line => ({
  kind: 'text',
  number,
  text: it,
  isEnded,
});

describe('bytes are cut into lines', () => {
  test('that end with a line feed, with or without a carriage return', () => {
    expect(linesOf('a\r\nb\n\nc')).toEqual([text(1, 'a'), text(2, 'b'), text(3, ''), text(4, 'c', false)]);
    expect(linesOf('')).toEqual([]);
    expect(linesOf('a\r')).toEqual([text(1, 'a\r', false)]);
  });

  test('without the mark at the beginning, and with one further on', () => {
    expect(linesOf('\ufeffa\n\ufeffb\n')).toEqual([text(1, 'a'), text(2, '\ufeffb')]);
  });

  test.each<[string, number[], number, number]>([
    ['a letter of Latin-1', [0x61, 0x62, 0xe9, 0x63], 2, 3],
    ['a character that is not whole', [0xe2, 0x82], 2, 1],
    ['half of a pair of UTF-16', [0x61, 0xed, 0xa0, 0x80], 2, 2],
    ['behind a replacement character that is meant', [0xef, 0xbf, 0xbd, 0xff], 2, 4],
  ])('and a line that is not UTF-8 names the byte: %s', (_what, bytes, number, byte) => {
    expect(linesOf('first\n', Uint8Array.from(bytes), '\nlast\n')).toEqual([
      text(1, 'first'),
      { kind: 'encoding', number, byte },
      text(3, 'last'),
    ]);
  });

  test('of which one that is too long is passed over, and not held', () => {
    const long = 'x'.repeat(longestLine);
    expect(linesOf(`${long}\r\n${long}y\nz\n`)).toEqual([
      text(1, long),
      { kind: 'too-long', number: 2 },
      text(3, 'z'),
    ]);
    const splitter = new LineSplitter();
    for (let nth = 0; nth < 1_000; nth += 1) splitter.push(Buffer.alloc(100_000, 0x78));
    expect(splitter.end()).toEqual([{ kind: 'too-long', number: 1 }]);
  });

  test('the same ones, however the bytes come in pieces', () => {
    const soup = fc
      .array(
        fc.oneof(
          fc.constantFrom('\n', '\r\n', '\r', '\ufeff', 'tenant-1,host-2', 'ü€😀', 'x'.repeat(5_000)),
          fc.uint8Array({ maxLength: 4 }),
        ),
        { maxLength: 30 },
      )
      .map((parts) =>
        Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
      );
    fc.assert(
      fc.property(soup, fc.array(fc.nat({ max: 40 }), { maxLength: 40 }), (bytes, cuts) => {
        const pieces: Buffer[] = [];
        let from = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        expect(linesOf(...pieces, bytes.subarray(from))).toEqual(linesOf(bytes));
      }),
      { numRuns: 300 },
    );
  });
});
