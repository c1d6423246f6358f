import { Writable } from 'node:stream';
import type { Sink } from '../../cli/terminal.ts';

/** A stream that keeps what is written to it, and says that it is a terminal if it is to be one. */
export class Captured extends Writable implements Sink {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;

  constructor(terminal?: { readonly columns: number; readonly rows: number }) {
    super();
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns ?? 100;
    this.rows = terminal?.rows ?? 24;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
