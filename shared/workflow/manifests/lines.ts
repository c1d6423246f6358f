import { Buffer, isUtf8 } from 'node:buffer';

/** A line of a text as it came, or what keeps it from being one. */
export type Line =
  | { readonly kind: 'text'; readonly number: number; readonly text: string; readonly isEnded: boolean }
  | { readonly kind: 'too-long'; readonly number: number }
  /** @property byte where in the line it is not UTF-8, from 1 */
  | { readonly kind: 'encoding'; readonly number: number; readonly byte: number };

/** Two of the longest names and what stands around them are far shorter. */
export const longestLine = 4_096;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts bytes into lines of UTF-8, however they come in pieces. Holds no more than a line: what is longer than a line
 * may be is passed over up to its end. A byte order mark at the beginning is left out; lines end with LF or CR LF.
 */
export class LineSplitter {
  #open: Buffer[] = [];
  #length = 0;
  #number = 0;

  /** The lines that end in this piece. */
  push(piece: Uint8Array): Line[] {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const lines: Line[] = [];
    let from = 0;
    for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, from)) {
      this.#keep(bytes.subarray(from, at));
      lines.push(this.#take(true));
      from = at + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  /** What stands behind the last end of a line, if anything does. */
  end(): Line[] {
    return this.#length === 0 ? [] : [this.#take(false)];
  }

  #keep(bytes: Buffer): void {
    this.#length += bytes.length;
    if (this.#length > longestLine + 1) this.#open = [];
    // Copied: whoever reads may use its memory again.
    else if (bytes.length > 0) this.#open.push(Buffer.from(bytes));
  }

  #take(isEnded: boolean): Line {
    const whole = Buffer.concat(this.#open);
    const length = this.#length;
    this.#open = [];
    this.#length = 0;
    this.#number += 1;
    const number = this.#number;
    if (length > longestLine + 1) return { kind: 'too-long', number };
    const mark = number === 1 && whole.subarray(0, 3).equals(byteOrderMark) ? 3 : 0;
    const end = isEnded && whole.at(-1) === carriageReturn ? whole.length - 1 : whole.length;
    const bytes = whole.subarray(mark, Math.max(mark, end));
    if (bytes.length > longestLine) return { kind: 'too-long', number };
    return isUtf8(bytes)
      ? { kind: 'text', number, text: bytes.toString('utf8'), isEnded }
      : { kind: 'encoding', number, byte: mark + firstBroken(bytes) + 1 };
  }
}

const replacement = '�';
const replacementBytes = Buffer.from(replacement);

/** Where the first byte stands that belongs to no character. */
function firstBroken(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  let offset = 0;
  let from = 0;
  for (let at = text.indexOf(replacement); at >= 0; at = text.indexOf(replacement, from)) {
    offset += Buffer.byteLength(text.slice(from, at));
    // The character itself may stand there.
    const isMeant = bytes.subarray(offset, offset + replacementBytes.length).equals(replacementBytes);
    if (!isMeant) return offset;
    offset += replacementBytes.length;
    from = at + replacement.length;
  }
  return offset;
}
