import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import type { Refusal } from '../../domain/event.ts';
import { isEndpointName, isHostName, nameRule } from '../../domain/ids.ts';
import type { LineFault, ManifestEntry, ManifestFormat } from '../../domain/manifest.ts';
import type { Line } from './lines.ts';

type TextLine = Extract<Line, { readonly kind: 'text' }>;

/** What a line says, or why it says nothing. */
export type Row =
  | { readonly kind: 'entry'; readonly entry: ManifestEntry }
  | { readonly kind: 'fault'; readonly fault: LineFault };

/** Reads the lines of a manifest, which are not blank, in their order. */
export interface RowReader {
  /** @returns a row for each line that is none of the format's own, or why the whole cannot be read */
  read(lines: readonly TextLine[]): readonly Row[] | { readonly refusal: Refusal };
}

export const rowReader = (format: ManifestFormat): RowReader =>
  format === 'csv' ? new CsvReader() : { read: (lines) => lines.map(readJsonLine) };

const columns = ['endpoint', 'target'] as const;

/** The names of its columns stand in the first line. */
class CsvReader implements RowReader {
  #header: readonly string[] | undefined;

  read(lines: readonly TextLine[]): readonly Row[] | { readonly refusal: Refusal } {
    if (this.#header !== undefined) return this.#rows(this.#header, lines);
    const [first, ...rest] = lines;
    if (first === undefined) return [];
    const header = headerOf(first);
    if ('refusal' in header) return header;
    this.#header = header.names;
    return this.#rows(header.names, rest);
  }

  #rows(header: readonly string[], lines: readonly TextLine[]): readonly Row[] {
    const together = recordsOf(lines.map(({ text }) => text).join('\n'));
    // A quote that is not closed takes later lines with it: then each is read for itself.
    const records = together?.length === lines.length ? together : undefined;
    return lines.map((line, nth) => rowOf(header, line, records?.[nth] ?? recordsOf(line.text)?.[0]));
  }
}

function recordsOf(text: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, { relaxColumnCount: true, recordDelimiter: '\n', trim: true });
  } catch {
    return undefined;
  }
}

function headerOf(line: TextLine): { readonly names: readonly string[] } | { readonly refusal: Refusal } {
  const names = recordsOf(line.text)?.[0] ?? [];
  const isKnown = names.every((name) => columns.some((column) => column === name));
  if (isKnown && names.includes('endpoint') && new Set(names).size === names.length) return { names };
  return {
    refusal: {
      code: 'manifest-header',
      field: `line ${String(line.number)}`,
      sentence: `Line ${String(line.number)} is no header: it must name the column endpoint, and may name target beside it.`,
      cure: 'begin the file with the line "endpoint,target", or "endpoint" alone, separated by commas',
    },
  };
}

function rowOf(header: readonly string[], line: TextLine, fields: readonly string[] | undefined): Row {
  if (!line.isEnded) return { kind: 'fault', fault: cutOff(line) };
  if (fields === undefined) {
    return atLine(line, {
      code: 'line-quote',
      sentence: 'has a quoted field that is not closed, or a quote in the middle of a field',
      cure: 'close the quote in the same line; double one that belongs to the value',
    });
  }
  if (fields.length !== header.length) {
    return atLine(line, {
      code: 'line-columns',
      sentence: `has ${String(fields.length)} fields, the header ${String(header.length)}`,
      cure: 'give it a field for each column of the header; one that says nothing stays empty',
    });
  }
  const fieldOf = (name: string): string | undefined => fields[header.indexOf(name)];
  const target = fieldOf('target');
  return entryAt(line, fieldOf('endpoint') ?? '', target === '' ? undefined : target);
}

/** Nothing shows whether the rest of a name is missing: a move of another endpoint is worse than none. */
const cutOff = ({ number }: TextLine): LineFault => ({
  line: number,
  code: 'line-cut-off',
  sentence: `line ${String(number)} has no end: the file may have been cut off in it`,
  cure: 'write the file anew and end every line, the last one too, with a line feed',
});

const jsonLine = z.strictObject({ endpoint: z.string(), target: z.string().optional() });

function readJsonLine(line: TextLine): Row {
  const value = jsonOf(line.text);
  if (value === undefined) {
    if (!line.isEnded) return { kind: 'fault', fault: cutOff(line) };
    return atLine(line, {
      code: 'line-not-json',
      sentence: 'is not JSON',
      cure: 'write one object a line: {"endpoint":"…","target":"…"}',
    });
  }
  const parsed = jsonLine.safeParse(value);
  if (parsed.success) return entryAt(line, parsed.data.endpoint, parsed.data.target);
  return atLine(line, {
    code: 'line-fields',
    sentence: 'is no object with the text "endpoint", and beside it at most the text "target"',
    cure: 'write {"endpoint":"…"} or {"endpoint":"…","target":"…"}; check the spelling of both names',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entryAt(line: TextLine, endpoint: string, target: string | undefined): Row {
  const { number } = line;
  if (!isEndpointName(endpoint)) return badName(line, 'an endpoint');
  if (target === undefined) return { kind: 'entry', entry: { line: number, endpoint } };
  return isHostName(target)
    ? { kind: 'entry', entry: { line: number, endpoint, target } }
    : badName(line, 'a host');
}

const badName = (line: TextLine, of: string): Row =>
  atLine(line, {
    code: 'line-name',
    sentence: `has no name of ${of} where one must be`,
    cure: `write a name: it ${nameRule}`,
  });

const atLine = ({ number }: TextLine, what: Omit<LineFault, 'line'>): Row => ({
  kind: 'fault',
  fault: { ...what, line: number, sentence: `line ${String(number)} ${what.sentence}` },
});
