import { createHash } from 'node:crypto';
import type { Refusal } from '../../domain/event.ts';
import type { EndpointName } from '../../domain/ids.ts';
import {
  mostEndpoints,
  mostFaults,
  type LineFault,
  type ManifestEntry,
  type ManifestFormat,
} from '../../domain/manifest.ts';
import type { OpenManifest } from '../../ports/manifests.ts';
import type { Services } from '../services.ts';
import { longestLine, LineSplitter, type Line } from './lines.ts';
import { LookUp } from './look-up.ts';
import { rowReader, type Row } from './rows.ts';

/** Lines that are looked up together. */
const pageSize = 500;

/** What stands in a manifest. */
export interface ManifestReading {
  /** Of its content. */
  readonly sha256: string;
  readonly lines: number;
  /** The good lines, in their order, each endpoint once. */
  readonly entries: readonly ManifestEntry[];
  /** The bad ones, in their order. */
  readonly faults: readonly LineFault[];
  /** Why it cannot be read on: the lines up to there are as they are. */
  readonly refusal?: Refusal;
}

/**
 * Reads a manifest to its end, line by line: no more of its text than a page is held at a time. What cannot be used
 * is still read, for the hash of the content is what the manifest is known by.
 *
 * @throws StepFailure as `OpenManifest.chunks`; StoreUnavailable
 */
export async function readManifest(
  services: Pick<Services, 'store' | 'log'>,
  manifest: Pick<OpenManifest, 'chunks'>,
  format: ManifestFormat,
): Promise<ManifestReading> {
  const hash = createHash('sha256');
  const splitter = new LineSplitter();
  const reading = new Reading(services, format);
  for await (const chunk of manifest.chunks()) {
    hash.update(chunk);
    if (reading.isOver) continue;
    reading.see(chunk);
    await reading.take(splitter.push(chunk));
  }
  if (!reading.isOver) await reading.take(splitter.end());
  await reading.end();
  return { sha256: hash.digest('hex'), ...reading.result() };
}

const utf16 = /^(?:\xff\xfe|\xfe\xff)/;

class Reading {
  readonly #lookUp: LookUp;
  readonly #rows: ReturnType<typeof rowReader>;
  readonly #entries: ManifestEntry[] = [];
  readonly #faults: LineFault[] = [];
  readonly #seen = new Map<EndpointName, number>();
  #page: Extract<Line, { readonly kind: 'text' }>[] = [];
  #lines = 0;
  #hasBegun = false;
  #refusal: Refusal | undefined;

  constructor(services: Pick<Services, 'store' | 'log'>, format: ManifestFormat) {
    this.#lookUp = new LookUp(services);
    this.#rows = rowReader(format);
  }

  get isOver(): boolean {
    return this.#refusal !== undefined;
  }

  /** Looks at how the text begins. */
  see(chunk: Uint8Array): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    if (!utf16.test(Buffer.from(chunk.subarray(0, 2)).toString('latin1'))) return;
    this.#refusal = {
      code: 'manifest-encoding',
      field: 'line 1',
      sentence: 'Line 1 begins with the mark of UTF-16 (byte 1): a manifest is UTF-8.',
      cure: 'save the file as UTF-8 and put it again',
    };
  }

  async take(lines: readonly Line[]): Promise<void> {
    for (const line of lines) {
      if (this.isOver) return;
      this.#lines = line.number;
      if (line.kind !== 'text') this.#blame(faultOfLine(line));
      else if (line.text.trim() !== '') this.#page.push(line);
      if (this.#page.length >= pageSize) await this.#turn();
    }
  }

  async end(): Promise<void> {
    if (!this.isOver) await this.#turn();
    if (this.isOver || this.#entries.length + this.#faults.length > 0) return;
    this.#refusal = {
      code: 'manifest-empty',
      sentence: 'The manifest is empty: no line of it names an endpoint.',
      cure: 'write a line for each endpoint that is to be moved, then put it again',
    };
  }

  result(): Omit<ManifestReading, 'sha256'> {
    return {
      lines: this.#lines,
      entries: this.#entries,
      faults: this.#faults.toSorted((one, other) => one.line - other.line),
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
    };
  }

  async #turn(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    const rows = this.#rows.read(page);
    if ('refusal' in rows) {
      this.#refusal = rows.refusal;
      return;
    }
    const entries = rows.flatMap((row) => this.#fresh(row) ?? []);
    const faults = await this.#lookUp.faultsOf(entries);
    for (const [nth, entry] of entries.entries()) {
      const fault = faults[nth];
      if (fault !== undefined) this.#blame(fault);
      else this.#add(entry);
      if (this.isOver) return;
    }
  }

  /** The entry of a row whose endpoint no line before has named. */
  #fresh(row: Row): ManifestEntry | undefined {
    if (row.kind === 'fault') {
      this.#blame(row.fault);
      return undefined;
    }
    const { line, endpoint } = row.entry;
    const before = this.#seen.get(endpoint);
    if (before === undefined) {
      this.#seen.set(endpoint, line);
      return row.entry;
    }
    this.#blame({
      line,
      code: 'endpoint-twice',
      sentence: `line ${String(line)}: ${endpoint} stands on line ${String(before)} already`,
      cure: 'leave one of the two lines out',
    });
    return undefined;
  }

  #add(entry: ManifestEntry): void {
    if (this.#entries.length < mostEndpoints) {
      this.#entries.push(entry);
      return;
    }
    this.#refusal = {
      code: 'manifest-too-long',
      field: `line ${String(entry.line)}`,
      sentence: `Line ${String(entry.line)} is one endpoint more than the ${String(mostEndpoints)} that a manifest may name.`,
      cure: 'divide it into several manifests',
    };
  }

  #blame(fault: LineFault): void {
    if (this.isOver) return;
    if (this.#faults.length < mostFaults) {
      this.#faults.push(fault);
      return;
    }
    this.#refusal = {
      code: 'manifest-unfit',
      field: `line ${String(fault.line)}`,
      sentence: `More than ${String(mostFaults)} lines are wrong up to line ${String(fault.line)}: this is hardly a manifest.`,
      cure: 'look at how it was made; the first wrong lines are in its report',
    };
  }
}

function faultOfLine(line: Exclude<Line, { readonly kind: 'text' }>): LineFault {
  const number = String(line.number);
  return line.kind === 'too-long'
    ? {
        line: line.number,
        code: 'line-too-long',
        sentence: `line ${number} is longer than ${String(longestLine)} bytes`,
        cure: 'end the line behind each endpoint with a line feed',
      }
    : {
        line: line.number,
        code: 'line-encoding',
        sentence: `line ${number} is not UTF-8 (byte ${String(line.byte)} of the line)`,
        cure: 'save the file as UTF-8',
      };
}
