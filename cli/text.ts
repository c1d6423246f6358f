import { createColors } from 'picocolors';
import stringWidth from 'string-width';

/** What a colour means. Never the only sign: a word or a mark stands beside it. */
export type Style = 'good' | 'bad' | 'attention' | 'faint' | 'strong';

export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** Text for people. It gets its colours only at the very end, so that whatever else is in it cannot. */
export type Text = string | Span | readonly Text[];

/** Text with a meaning. */
export const styled = (style: Style, text: string): Span => ({ text, style });

// C0 and C1 controls, line separators, marks that turn the direction of what is displayed.
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** The same with everything that could steer a terminal made visible: `\x1b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The pieces of a text, each safe to print. */
function spansOf(text: Text): Span[] {
  if (typeof text === 'string') return text === '' ? [] : [{ text: printable(text) }];
  if (isSpan(text)) return text.text === '' ? [] : [{ ...text, text: printable(text.text) }];
  return text.flatMap(spansOf);
}

function isSpan(text: Span | readonly Text[]): text is Span {
  return 'text' in text;
}

/** Columns that it takes on a terminal. */
export function widthOf(text: Text): number {
  return spansOf(text).reduce((sum, span) => sum + stringWidth(span.text), 0);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most so many columns; what is cut off is shown by `…`. */
export function cut(text: Text, columns: number): Text {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  const kept: Span[] = [];
  let left = columns - 1;
  for (const span of spansOf(text)) {
    let part = '';
    for (const { segment } of graphemes.segment(span.text)) {
      const width = stringWidth(segment);
      if (width > left) return [...kept, { ...span, text: `${part}…` }];
      part += segment;
      left -= width;
    }
    kept.push({ ...span, text: part });
  }
  return kept;
}

/** Exactly so many columns. */
export function fit(text: Text, columns: number, side: 'left' | 'right' = 'left'): Text {
  const short = cut(text, columns);
  const space = ' '.repeat(Math.max(0, columns - widthOf(short)));
  return side === 'left' ? [short, space] : [space, short];
}

/** As a terminal takes it. */
export function paint(text: Text, colours: boolean): string {
  const colour = createColors(colours);
  const brushes: Readonly<Record<Style, (text: string) => string>> = {
    good: colour.green,
    bad: colour.red,
    attention: colour.yellow,
    faint: colour.dim,
    strong: colour.bold,
  };
  return spansOf(text)
    .map((span) => (span.style === undefined ? span.text : brushes[span.style](span.text)))
    .join('');
}

/** Lines with their columns below each other; numbers to the right. */
export function columns(rows: readonly (readonly Text[])[], right: ReadonlySet<number> = new Set()): Text[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, index) => Math.max(widest[index] ?? 0, widthOf(cell))),
    [],
  );
  return rows.map((row) =>
    row.flatMap((cell, index): Text[] => {
      const gap = index === 0 ? '' : '  ';
      if (right.has(index)) return [gap, fit(cell, widths[index] ?? 0, 'right')];
      return index === row.length - 1 ? [gap, cell] : [gap, fit(cell, widths[index] ?? 0)];
    }),
  );
}
