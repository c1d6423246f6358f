import type { WriteStream } from 'node:fs';
import { messageOf } from '../cloud-error.ts';

/** What functions send of spans, as it comes: a request of OTLP in a line, as collectors of OpenTelemetry keep and read it. */
export class SpanLog {
  readonly #file: WriteStream;
  readonly #alsoTo: string | undefined;
  readonly #onTrouble: (text: string) => void;
  #isTrouble = false;

  /** @param alsoTo the base address of a collector of the user's */
  constructor(file: WriteStream, alsoTo: string | undefined, onTrouble: (text: string) => void) {
    this.#file = file;
    this.#alsoTo = alsoTo?.replace(/\/+$/, '');
    this.#onTrouble = onTrouble;
  }

  /** @throws SyntaxError when it is no JSON */
  take(body: string): void {
    const text = JSON.stringify(JSON.parse(body));
    this.#file.write(`${text}\n`);
    if (this.#alsoTo !== undefined) void this.#pass(`${this.#alsoTo}/v1/traces`, text);
  }

  close(): void {
    this.#file.end();
  }

  async #pass(url: string, body: string): Promise<void> {
    try {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(2_000) });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`it answers ${String(answer.status)}`);
      this.#isTrouble = false;
    } catch (error) {
      // Once, until it takes some again: they are in the file in any case.
      if (!this.#isTrouble) this.#onTrouble(`Spans are not taken at ${url}: ${messageOf(error)}`);
      this.#isTrouble = true;
    }
  }
}
