import { createLogUpdate } from 'log-update';
import type { Refusal } from '../shared/domain/event.ts';
import { cut, paint, styled, type Text } from './text.ts';

/** A stream that people or programs read. */
export interface Sink extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** A block of lines that is drawn over and over in the same place. */
export interface LiveBlock {
  show(lines: readonly Text[]): void;
  /** What was shown stays; what follows goes below. */
  done(): void;
  /** What was shown goes. */
  clear(): void;
}

/** Some terminals say that they have no columns at all: they do not know. */
const known = (size: number | undefined, usual: number): number =>
  size === undefined || size === 0 ? usual : size;

/** Where `dray` writes. All text passes through here, and nothing in it can steer the terminal. */
export interface Terminal {
  /** Somebody looks at it as it happens. */
  readonly isLive: boolean;
  readonly columns: number;
  readonly rows: number;
  line(text?: Text): void;
  /** Beside the result: to standard error. */
  note(text: Text): void;
  /** A result for programs: one line of JSON. */
  json(value: unknown): void;
  /** @param word what has happened: `error` unless said otherwise */
  error(refusal: Refusal, word?: string): void;
  live(): LiveBlock;
}

export interface TerminalOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const wide = 100;
const tall = 24;

export function createTerminal({ stdout, stderr, env }: TerminalOptions): Terminal {
  const isDumb = env['TERM'] === 'dumb';
  const wantsColour = (sink: Sink): boolean => {
    if ((env['NO_COLOR'] ?? '') !== '') return false;
    const forced = env['FORCE_COLOR'] ?? '';
    return forced === '' ? sink.isTTY === true && !isDumb : forced !== '0' && forced !== 'false';
  };
  const colours = wantsColour(stdout);
  const colourOfNotes = wantsColour(stderr);
  return {
    isLive: stdout.isTTY === true && !isDumb,
    get columns() {
      return known(stdout.columns, wide);
    },
    get rows() {
      return known(stdout.rows, tall);
    },
    line: (text = '') => stdout.write(`${paint(text, colours)}\n`),
    note: (text) => stderr.write(`${paint(text, colourOfNotes)}\n`),
    json: (value) => stdout.write(`${toJson(value)}\n`),
    error: ({ code, field, sentence, cure }, word = 'error') => {
      const at = field === undefined ? '' : ` (${field})`;
      stderr.write(
        `${paint([styled('bad', word), ` ${code}${at}: ${asSentence(sentence)}`], colourOfNotes)}\n`,
      );
      stderr.write(`${paint(['  what next: ', asSentence(cure)], colourOfNotes)}\n`);
    },
    live: () => {
      const block = createLogUpdate(stdout);
      return {
        show: (lines) => {
          // One column stays free: some terminals begin a new line when the last one is filled.
          const most = known(stdout.columns, wide) - 1;
          block(lines.map((line) => paint(cut(line, most), colours)).join('\n'));
        },
        done: () => {
          block.done();
        },
        clear: () => {
          block.clear();
          block.done();
        },
      };
    },
  };
}

function asSentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…]$/u.test(trimmed) || trimmed === '' ? trimmed : `${trimmed}.`;
}

/** JSON leaves some characters as they are that steer terminals. */
const steering = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function toJson(value: unknown): string {
  return JSON.stringify(value).replace(
    steering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
