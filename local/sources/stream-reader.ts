import { z } from 'zod';
import type { AwsJsonClient } from '../servers/aws-json.ts';
import { Signal } from './signal.ts';

const image = z.record(z.string(), z.unknown());

const recordSchema = z.object({
  eventID: z.string(),
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  dynamodb: z.looseObject({
    Keys: image.optional(),
    NewImage: image.optional(),
    OldImage: image.optional(),
    SequenceNumber: z.string(),
    ApproximateCreationDateTime: z.number(),
  }),
  userIdentity: z.unknown().optional(),
});

/** A change of a table, as its stream tells it (with both images, whatever the template asks for). */
export type StreamRecord = z.infer<typeof recordSchema>;

const description = z.object({
  StreamDescription: z.object({
    Shards: z.array(z.object({ ShardId: z.string(), ParentShardId: z.string().optional() })).default([]),
  }),
});
const iteratorAnswer = z.object({ ShardIterator: z.string() });
const recordsAnswer = z.object({
  Records: z.array(recordSchema).default([]),
  NextShardIterator: z.string().nullish(),
});

/** Where reading of a shard starts. */
export type StartAt =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequence: string };

/** How a stream is read. */
export interface StreamReaderOptions {
  readonly client: AwsJsonClient;
  readonly streamArn: string;
  /** Rung when the table was written: the next read happens at once. */
  readonly written: Signal;
  readonly batchSize: number;
  /** How long to gather records for a fuller batch, in milliseconds. */
  readonly windowMs: number;
  readonly startAt: (shardId: string) => StartAt;
  /** Handles records in order; the next call comes when this one has resolved. */
  readonly handle: (shardId: string, records: readonly StreamRecord[]) => Promise<void>;
}

const TARGET = 'DynamoDBStreams_20120810';
/** Without a signal the stream is read so often, for changes that no client made (expiry). */
const IDLE_MS = 1000;
/** New shards are looked for so often. */
const DISCOVERY_MS = 5000;
/** After a signal the reader waits a moment, so that a burst of writes makes one batch. */
const GATHER_MS = 15;

/** Reads every shard of a stream in order, parents before children, until stopped. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #shards = new Map<string, Promise<void>>();
  readonly #stopped = new Signal();
  #stopping = false;
  #watch: Promise<void> = Promise.resolve();

  constructor(options: StreamReaderOptions) {
    this.#options = options;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Resolves once every shard known now has its first position: later writes are seen. */
  async start(): Promise<void> {
    await this.#discover();
    this.#watch = this.#discoverAgain();
  }

  stop(): void {
    this.#stopping = true;
    this.#stopped.ring();
    this.#options.written.ring();
  }

  async quiet(): Promise<void> {
    await this.#watch;
    await Promise.all(this.#shards.values());
  }

  async #discoverAgain(): Promise<void> {
    for (;;) {
      await this.#stopped.wait(DISCOVERY_MS);
      if (this.#stopping) return;
      await this.#discover().catch(() => undefined); // the server is away: the next round finds them
    }
  }

  async #discover(): Promise<void> {
    const { client, streamArn } = this.#options;
    const answer = await client.call(`${TARGET}.DescribeStream`, { StreamArn: streamArn });
    const shards = description.parse(answer).StreamDescription.Shards;
    for (const { ShardId: id, ParentShardId: parent } of shards) {
      if (this.#shards.has(id)) continue;
      const before = parent === undefined ? undefined : this.#shards.get(parent);
      const iterator = await this.#iterator(id);
      this.#shards.set(
        id,
        Promise.resolve(before).then(() => this.#read(id, iterator)),
      );
    }
  }

  async #iterator(shardId: string): Promise<string> {
    const { client, streamArn, startAt } = this.#options;
    const at = startAt(shardId);
    const answer = await client.call(`${TARGET}.GetShardIterator`, {
      StreamArn: streamArn,
      ShardId: shardId,
      ShardIteratorType: at.type,
      ...(at.type === 'AFTER_SEQUENCE_NUMBER' ? { SequenceNumber: at.sequence } : {}),
    });
    return iteratorAnswer.parse(answer).ShardIterator;
  }

  async #read(shardId: string, first: string): Promise<void> {
    const { batchSize, windowMs, written } = this.#options;
    let iterator: string | null | undefined = first;
    let gathered: StreamRecord[] = [];
    let gatherUntil = 0;
    while (!this.#stopping && iterator !== null && iterator !== undefined) {
      const rings = written.rings;
      const page = await this.#records(iterator, batchSize - gathered.length);
      if (page === undefined) {
        await this.#stopped.wait(IDLE_MS);
        iterator = await this.#iterator(shardId).catch(() => first);
        gathered = [];
        continue;
      }
      iterator = page.NextShardIterator;
      if (gathered.length === 0) gatherUntil = Date.now() + windowMs;
      gathered.push(...page.Records);
      const left = gatherUntil - Date.now();
      if (gathered.length >= batchSize || (gathered.length > 0 && left <= 0)) {
        await this.#options.handle(shardId, gathered);
        gathered = [];
      } else if (gathered.length > 0) {
        await written.wait(left, rings);
      } else {
        await written.wait(IDLE_MS, rings);
        await this.#stopped.wait(GATHER_MS);
      }
    }
  }

  /** One page, or nothing when the server is away or has forgotten the iterator. */
  async #records(iterator: string, limit: number): Promise<z.infer<typeof recordsAnswer> | undefined> {
    try {
      const answer = await this.#options.client.call(`${TARGET}.GetRecords`, {
        ShardIterator: iterator,
        Limit: Math.min(limit, 1000),
      });
      return recordsAnswer.parse(answer);
    } catch {
      return undefined;
    }
  }
}
