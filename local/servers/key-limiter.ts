/** A bucket of write units: what a partition key may still write in this second. */
interface Bucket {
  units: number;
  at: number;
  second: number;
  spent: number;
}

/** The busiest key that was seen. */
export interface HottestKey {
  readonly key: string;
  /** Write units in its busiest second. */
  readonly unitsPerSecond: number;
}

/**
 * Write units per partition key, of tables and indexes, as AWS limits them: each key refills at `limit` units a
 * second and may save up one second's worth. A write is charged after it happened and may overdraw its key; the
 * key then refuses until it has refilled.
 */
export class KeyLimiter {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #hottest: HottestKey = { key: '', unitsPerSecond: 0 };

  /** `limit` in write units a second; `now` in milliseconds. */
  constructor(limit: number, now: () => number = Date.now) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Whether the key may take another write now. */
  allows(key: string): boolean {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return true;
    this.#refill(bucket);
    return bucket.units > 0;
  }

  charge(key: string, units: number): void {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size > 50_000) this.#forget();
      bucket = { units: this.#limit, at: this.#now(), second: 0, spent: 0 };
      this.#buckets.set(key, bucket);
    }
    this.#refill(bucket);
    bucket.units -= units;
    bucket.spent += units;
    if (bucket.spent > this.#hottest.unitsPerSecond) this.#hottest = { key, unitsPerSecond: bucket.spent };
  }

  get hottest(): HottestKey {
    return this.#hottest;
  }

  #refill(bucket: Bucket): void {
    const now = this.#now();
    bucket.units = Math.min(this.#limit, bucket.units + ((now - bucket.at) * this.#limit) / 1000);
    bucket.at = now;
    const second = Math.floor(now / 1000);
    if (bucket.second !== second) {
      bucket.second = second;
      bucket.spent = 0;
    }
  }

  /** Keys that are full again need no memory. */
  #forget(): void {
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket);
      if (bucket.units >= this.#limit) this.#buckets.delete(key);
    }
  }
}
