import { createHash } from 'node:crypto';
import { canonical } from '../../shared/aws/blobs.ts';
import { StepFailure } from '../../shared/domain/failure.ts';
import type { Blobs } from '../../shared/ports/blobs.ts';

/** Claim checks in memory. `contents` is open, so that a test can lose or alter one. */
export class MemoryBlobs implements Blobs {
  readonly contents = new Map<string, string>();

  async put(value: unknown) {
    await Promise.resolve();
    const text = canonical(value);
    const hash = sha256(text);
    const key = `claims/${hash}`;
    this.contents.set(key, text);
    return { key, sha256: hash, bytes: Buffer.byteLength(text) };
  }

  async get(check: Parameters<Blobs['get']>[0]): Promise<unknown> {
    await Promise.resolve();
    const text = this.contents.get(check.key);
    if (text === undefined) throw failure('claim-check-missing', `there is no object ${check.key}`);
    if (sha256(text) !== check.sha256 || Buffer.byteLength(text) !== check.bytes) {
      throw failure('claim-check-altered', `object ${check.key} has other content than its hash says`);
    }
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch {
      throw failure('claim-check-not-json', `object ${check.key} is not JSON`);
    }
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const failure = (code: string, sentence: string): StepFailure =>
  new StepFailure({ code, sentence, cure: 'store it again' }, 'fail');
