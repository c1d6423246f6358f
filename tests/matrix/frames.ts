/** A message of PostgreSQL's protocol, whole: its type (empty for the first one of a client) and its bytes. */
export interface Frame {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts one direction of a connection into messages. */
export class Frames {
  #rest = Buffer.alloc(0);
  /** A client's first message has no type. */
  #typed: boolean;

  constructor(side: 'client' | 'server') {
    this.#typed = side === 'server';
  }

  /** The messages that are complete by now. */
  feed(chunk: Buffer): Frame[] {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const head = this.#typed ? 1 : 0;
      if (rest.length < head + 4) break;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) break;
      frames.push({
        type: this.#typed ? String.fromCharCode(rest.readUInt8(0)) : '',
        bytes: rest.subarray(0, length),
      });
      this.#typed = true;
      rest = rest.subarray(length);
    }
    this.#rest = Buffer.from(rest);
    return frames;
  }
}

/** The SQL of a query (`Q`) or of a statement that is parsed (`P`); undefined for every other message. */
export function sqlOf({ type, bytes }: Frame): string | undefined {
  if (type !== 'Q' && type !== 'P') return undefined;
  const begin = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1;
  return bytes.toString('utf8', begin, bytes.indexOf(0, begin));
}
