import type { Session } from './connection.ts';
import { quoteIdentifier, quoteQualified } from './identifiers.ts';
import type { Table } from './inventory.ts';
import type { Wire, WireStatus } from './wire.ts';

export interface CopyResult {
  readonly rows: number;
  readonly bytes: number;
}

const queryCode = 0x51;
const codes = {
  copyData: 0x64,
  copyDone: 0x63,
  copyIn: 0x47,
  copyOut: 0x48,
  complete: 0x43,
  error: 0x45,
  ready: 0x5a,
};

function message(type: number, body: string): Buffer {
  const bytes = Buffer.from(`${body}\0`);
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

/**
 * Streams `COPY … TO STDOUT` of one server into `COPY … FROM STDIN` of the other. Frames of data are passed
 * on as they are, unparsed, with backpressure. Each side may stand inside a transaction, which is the
 * caller's to end: after a failure both sessions are still usable, the transaction of the target is aborted.
 * @param from `COPY … TO STDOUT …`, in the same format as `into`
 * @throws PostgresFailure
 */
export async function copyRows(
  source: Session,
  target: Session,
  { from, into }: { readonly from: string; readonly into: string },
): Promise<CopyResult> {
  const reading = await source.wire();
  // Until it has begun something, the reader's wire goes back as it came.
  const unread = (error: unknown): never => {
    reading.giveBack(reading.status);
    throw target.failure(error);
  };
  const writer = new Writer(await target.wire().catch(unread));
  await writer.begin(into).catch(unread);
  let bytes = 0;
  let failure: Error | undefined;
  try {
    bytes = await readInto(reading, from, writer);
  } catch (error) {
    failure = source.failure(error);
  }
  try {
    const rows = await writer.end(failure === undefined);
    if (failure !== undefined) throw failure;
    return { rows, bytes };
  } catch (error) {
    throw failure ?? target.failure(error);
  }
}

/** Copies the rows of one table itself (not of its partitions or children), all columns that hold data. */
export async function copyTableRows(
  source: Session,
  target: Session,
  table: Pick<Table, 'schema' | 'name' | 'columns'>,
  options: { readonly where?: string; readonly binary?: boolean } = {},
): Promise<CopyResult> {
  const columns = table.columns
    .filter(({ generated }) => !generated)
    .map(({ name }) => quoteIdentifier(name));
  const name = quoteQualified(table.schema, table.name);
  const list = columns.join(', ');
  const where = options.where === undefined ? '' : ` WHERE ${options.where}`;
  const format = options.binary === true ? ' (FORMAT binary)' : '';
  return await copyRows(source, target, {
    from: `COPY (SELECT ${list} FROM ONLY ${name}${where}) TO STDOUT${format}`,
    into: `COPY ${name}${list === '' ? '' : ` (${list})`} FROM STDIN${format}`,
  });
}

/** The reading side: everything but data ends here, data goes to the writer in the chunks it came in. */
async function readInto(wire: Wire, sql: string, writer: Writer): Promise<number> {
  let bytes = 0;
  let waiting: Promise<void> | undefined;
  const ended = new Promise<{ status: WireStatus; error: Error | undefined }>((resolve) => {
    let error: Error | undefined;
    const frames = new Frames(
      (chunk, whole) => {
        bytes += chunk.length;
        if (writer.write(chunk, whole) || waiting !== undefined) return;
        wire.pause();
        waiting = writer.drained().then(
          () => {
            waiting = undefined;
            wire.resume();
          },
          // The writer's own end tells what happened; the reader must come to its end as well.
          () => wire.resume(),
        );
      },
      (type, body) => {
        if (type === codes.error) error ??= serverError(body);
        if (type === codes.ready) resolve({ status: statusOf(body), error });
      },
    );
    wire.receive((chunk) => frames.push(chunk));
  });
  wire.write(message(queryCode, sql));
  const { status, error } = await Promise.race([ended, wire.lost]);
  await waiting;
  wire.giveBack(status);
  if (error !== undefined) throw error;
  return bytes;
}

class Writer {
  readonly #wire: Wire;
  readonly #ended: Promise<{ status: WireStatus; error: Error | undefined; rows: number }>;
  readonly #ready: Promise<boolean>;
  #failed = false;
  /** Does what was written end with a frame? A frame that was begun must be finished, also after an error. */
  #whole = true;

  constructor(wire: Wire) {
    this.#wire = wire;
    let begun: (ready: boolean) => void = () => undefined;
    this.#ready = new Promise((resolve) => {
      begun = resolve;
    });
    this.#ended = new Promise((resolve) => {
      let error: Error | undefined;
      let rows = 0;
      const frames = new Frames(
        () => undefined,
        (type, body) => {
          if (type === codes.copyIn) begun(true);
          if (type === codes.complete) rows = Number(/\d+(?=\0?$)/.exec(body.toString())?.[0] ?? 0);
          if (type === codes.error) {
            error ??= serverError(body);
            this.#failed = true;
          }
          if (type !== codes.ready) return;
          begun(false);
          resolve({ status: statusOf(body), error, rows });
        },
      );
      wire.receive((chunk) => frames.push(chunk));
    });
  }

  /** Resolves when the server waits for data. */
  async begin(sql: string): Promise<void> {
    this.#wire.write(message(queryCode, sql));
    if (await Promise.race([this.#ready, this.#wire.lost])) return;
    await this.#finish();
  }

  /** After an error the server throws away what still comes, so it is not sent. */
  write(chunk: Buffer, whole: boolean): boolean {
    if (this.#failed && this.#whole) return true;
    this.#whole = whole;
    return this.#wire.write(chunk);
  }

  async drained(): Promise<void> {
    if (!this.#failed) await Promise.race([this.#wire.drained(), this.#ended]);
  }

  /** @returns the rows that were written */
  async end(complete: boolean): Promise<number> {
    if (!this.#failed) {
      this.#wire.write(
        complete ? Buffer.from([codes.copyDone, 0, 0, 0, 4]) : message(0x66, 'the source failed'),
      );
    }
    return await this.#finish();
  }

  async #finish(): Promise<number> {
    const { status, error, rows } = await Promise.race([this.#ended, this.#wire.lost]);
    this.#wire.giveBack(status);
    if (error !== undefined) throw error;
    return rows;
  }
}

/** Cuts a stream into frames: those of data are handed on as the pieces they arrive in, headers included. */
class Frames {
  readonly #onData: (chunk: Buffer, whole: boolean) => void;
  readonly #onFrame: (type: number, body: Buffer) => void;
  /** Bytes of the current data frame that are still to come. */
  #dataLeft = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(
    onData: (chunk: Buffer, whole: boolean) => void,
    onFrame: (type: number, body: Buffer) => void,
  ) {
    this.#onData = onData;
    this.#onFrame = onFrame;
  }

  push(arrived: Buffer): void {
    const chunk = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived]);
    this.#rest = Buffer.alloc(0);
    // [dataFrom, at) is data that was seen and not yet handed on.
    let dataFrom = 0;
    let at = Math.min(this.#dataLeft, chunk.length);
    this.#dataLeft -= at;
    while (at < chunk.length) {
      const size = at + 5 <= chunk.length ? 1 + chunk.readUInt32BE(at + 1) : undefined;
      if (size !== undefined && chunk[at] === codes.copyData) {
        const end = Math.min(at + size, chunk.length);
        this.#dataLeft = at + size - end;
        at = end;
        continue;
      }
      if (at > dataFrom) this.#onData(chunk.subarray(dataFrom, at), true);
      dataFrom = at;
      if (size === undefined || at + size > chunk.length) {
        this.#rest = chunk.subarray(at);
        return;
      }
      this.#onFrame(chunk[at] ?? 0, chunk.subarray(at + 5, at + size));
      at += size;
      dataFrom = at;
    }
    if (at > dataFrom) this.#onData(chunk.subarray(dataFrom, at), this.#dataLeft === 0);
  }
}

function statusOf(body: Buffer): WireStatus {
  const letter = body.toString('latin1');
  return letter === 'T' || letter === 'E' ? letter : 'I';
}

/** An ErrorResponse: fields of one letter and a text each. */
function serverError(body: Buffer): Error {
  const fields = new Map(
    body
      .toString()
      .split('\0')
      .filter((field) => field !== '')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return Object.assign(new Error(fields.get('M') ?? 'an error without words'), {
    code: fields.get('C') ?? 'XX000',
  });
}
