import type { FunctionPool } from '../lambda/function-pool.ts';
import type { AwsJsonClient } from '../servers/aws-json.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Destinations } from './destinations.ts';
import { passesFilters } from './event-pattern.ts';
import { failedItems } from './item-failures.ts';
import type { SourceUse } from './queue-source.ts';
import { Signal } from './signal.ts';
import { StreamReader, type StreamRecord } from './stream-reader.ts';

/** Which images of an item a function is shown. */
export type StreamView = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** An event-source mapping from a table's stream to a function. */
export interface StreamMapping {
  readonly logicalId: string;
  readonly streamArn: string;
  readonly region: string;
  readonly view: StreamView;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
  readonly bisects: boolean;
  /** Retries of a failed batch; nothing means until it expires. */
  readonly maximumRetries: number | undefined;
  /** Records older than this are given up, in milliseconds. */
  readonly maximumAgeMs: number | undefined;
  /** ARN of the queue or topic that is told of what was given up. */
  readonly onFailure: string | undefined;
  readonly filters: readonly unknown[];
}

/** What a stream source works with. */
export interface StreamSourceOptions {
  readonly mapping: StreamMapping;
  readonly streams: AwsJsonClient;
  readonly pool: FunctionPool;
  readonly written: Signal;
  readonly checkpoints: Checkpoints;
  readonly destinations: Destinations;
}

const FIRST_RETRY_MS = 100;
const SLOWEST_RETRY_MS = 5000;

/** Feeds a function from a stream, in order, with Lambda's rules for a batch that fails. */
export class StreamSource {
  readonly use: SourceUse = { messages: 0, deleted: 0, largestBytes: 0, batches: 0, failedBatches: 0 };
  readonly mapping: StreamMapping;
  readonly #options: StreamSourceOptions;
  readonly #reader: StreamReader;
  readonly #stopped = new Signal();

  constructor(options: StreamSourceOptions) {
    const { mapping, checkpoints } = options;
    this.mapping = mapping;
    this.#options = options;
    this.#reader = new StreamReader({
      client: options.streams,
      streamArn: mapping.streamArn,
      written: options.written,
      batchSize: mapping.batchSize,
      windowMs: mapping.windowMs,
      startAt: (shardId) => {
        const sequence = checkpoints.read(this.#place, shardId);
        return sequence === undefined
          ? { type: mapping.startingPosition }
          : { type: 'AFTER_SEQUENCE_NUMBER', sequence };
      },
      handle: (shardId, records) => this.#handle(shardId, records),
    });
  }

  async start(): Promise<void> {
    await this.#reader.start();
  }

  stop(): void {
    this.#reader.stop();
    this.#stopped.ring();
  }

  async quiet(): Promise<void> {
    await this.#reader.quiet();
  }

  #isStopping(): boolean {
    return this.#reader.stopping;
  }

  get #place(): string {
    return `${this.mapping.logicalId} ${this.mapping.streamArn}`;
  }

  async #handle(shardId: string, records: readonly StreamRecord[]): Promise<void> {
    const wanted = records.filter((record) => passesFilters(this.mapping.filters, this.#view(record)));
    if (wanted.length > 0) await this.#process(shardId, wanted, 0);
    const last = records.at(-1);
    if (last !== undefined && !this.#isStopping()) this.#pass(shardId, last);
  }

  /** Runs a batch until it succeeded or was given up; leaves early, with no checkpoint, when the cloud stops. */
  async #process(shardId: string, batch: readonly StreamRecord[], attempt: number): Promise<void> {
    const fresh = await this.#dropOld(shardId, batch);
    if (fresh.length === 0 || this.#isStopping()) return;
    const { mapping } = this;
    this.use.batches += 1;
    this.use.messages += fresh.length;
    const result = await this.#options.pool.invoke(
      JSON.stringify({ Records: fresh.map((record) => this.#view(record)) }),
    );
    if (result.outcome !== 'succeeded' && this.#isStopping()) return;

    const sequences = fresh.map((record) => record.dynamodb.SequenceNumber);
    const failed =
      result.outcome !== 'succeeded'
        ? new Set(sequences)
        : mapping.reportsItemFailures
          ? failedItems(result.payload, sequences)
          : new Set<string>();
    const firstFailure = sequences.findIndex((sequence) => failed.has(sequence));
    const passed = firstFailure === -1 ? fresh : fresh.slice(0, firstFailure);
    this.use.deleted += passed.length;
    const lastPassed = passed.at(-1);
    if (lastPassed !== undefined) this.#pass(shardId, lastPassed);
    if (firstFailure === -1) return;

    this.use.failedBatches += 1;
    const rest = fresh.slice(firstFailure);
    await this.#stopped.wait(Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10)));
    if (mapping.bisects && rest.length > 1) {
      // Halving does not use up a retry; only a single record's failures count then.
      const middle = Math.ceil(rest.length / 2);
      await this.#process(shardId, rest.slice(0, middle), attempt);
      await this.#process(shardId, rest.slice(middle), attempt);
    } else if (mapping.maximumRetries !== undefined && attempt >= mapping.maximumRetries) {
      await this.#giveUp(shardId, rest, 'RetryAttemptsExhausted', attempt + 1);
    } else {
      await this.#process(shardId, rest, attempt + 1);
    }
  }

  async #dropOld(shardId: string, batch: readonly StreamRecord[]): Promise<readonly StreamRecord[]> {
    const { maximumAgeMs } = this.mapping;
    if (maximumAgeMs === undefined) return batch;
    const oldest = Date.now() - maximumAgeMs;
    const old = batch.filter((record) => record.dynamodb.ApproximateCreationDateTime * 1000 < oldest);
    if (old.length > 0) await this.#giveUp(shardId, old, 'MaximumRecordAgeExceeded', 1);
    return batch.filter((record) => !old.includes(record));
  }

  async #giveUp(
    shardId: string,
    batch: readonly StreamRecord[],
    condition: string,
    count: number,
  ): Promise<void> {
    const [first, last] = [batch[0], batch.at(-1)];
    if (first === undefined || last === undefined) return;
    const { onFailure, streamArn } = this.mapping;
    const { spec } = this.#options.pool;
    if (onFailure !== undefined) {
      await this.#options.destinations.deliver(
        onFailure,
        JSON.stringify({
          requestContext: {
            requestId: first.eventID,
            functionArn: spec.arn,
            condition,
            approximateInvokeCount: count,
          },
          responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
          version: '1.0',
          timestamp: new Date().toISOString(),
          DDBStreamBatchInfo: {
            shardId,
            startSequenceNumber: first.dynamodb.SequenceNumber,
            endSequenceNumber: last.dynamodb.SequenceNumber,
            approximateArrivalOfFirstRecord: arrival(first),
            approximateArrivalOfLastRecord: arrival(last),
            batchSize: batch.length,
            streamArn,
          },
        }),
      );
    }
    this.#pass(shardId, last);
  }

  #pass(shardId: string, record: StreamRecord): void {
    this.#options.checkpoints.write(this.#place, shardId, record.dynamodb.SequenceNumber);
  }

  #view(record: StreamRecord): unknown {
    const { NewImage, OldImage, ...rest } = record.dynamodb;
    const { view } = this.mapping;
    const shows = (side: 'NEW' | 'OLD'): boolean => view === 'NEW_AND_OLD_IMAGES' || view === `${side}_IMAGE`;
    return {
      eventID: record.eventID,
      eventName: record.eventName,
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.mapping.region,
      dynamodb: {
        ...rest,
        ...(NewImage !== undefined && shows('NEW') ? { NewImage } : {}),
        ...(OldImage !== undefined && shows('OLD') ? { OldImage } : {}),
        StreamViewType: view,
      },
      eventSourceARN: this.mapping.streamArn,
      ...(record.userIdentity === undefined ? {} : { userIdentity: record.userIdentity }),
    };
  }
}

function arrival(record: StreamRecord): string {
  return new Date(record.dynamodb.ApproximateCreationDateTime * 1000).toISOString();
}
