import { z } from 'zod';
import type { FunctionPool } from '../lambda/function-pool.ts';
import type { AwsJsonClient } from '../servers/aws-json.ts';
import { passesFilters } from './event-pattern.ts';
import { failedItems } from './item-failures.ts';
import { Signal } from './signal.ts';

/** An event-source mapping from a queue to a function. */
export interface QueueMapping {
  readonly logicalId: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly region: string;
  readonly batchSize: number;
  /** How long to gather messages for a fuller batch, in milliseconds. */
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
  /** At most so many invocations of this mapping at once. */
  readonly maximumConcurrency: number | undefined;
  readonly filters: readonly unknown[];
}

/** What passed through a mapping. */
export interface SourceUse {
  /** Messages received, redeliveries counted again. */
  messages: number;
  /** Messages deleted after success. */
  deleted: number;
  /** The largest body, in bytes. */
  largestBytes: number;
  batches: number;
  failedBatches: number;
}

const messageSchema = z.object({
  MessageId: z.string(),
  ReceiptHandle: z.string(),
  Body: z.string(),
  MD5OfBody: z.string(),
  MD5OfMessageAttributes: z.string().optional(),
  Attributes: z.record(z.string(), z.string()).default({}),
  MessageAttributes: z
    .record(
      z.string(),
      z.object({
        DataType: z.string(),
        StringValue: z.string().optional(),
        BinaryValue: z.string().optional(),
      }),
    )
    .default({}),
});
const received = z.object({ Messages: z.array(messageSchema).default([]) });

type Message = z.infer<typeof messageSchema>;

const LONG_POLL_SECONDS = 20;
const RETRY_MS = 500;

/**
 * Polls a queue and feeds a function, as Lambda's pollers do: receives only what can be run, deletes what succeeded,
 * and leaves the rest to the queue's visibility timeout.
 */
export class QueueSource {
  readonly mapping: QueueMapping;
  readonly use: SourceUse = { messages: 0, deleted: 0, largestBytes: 0, batches: 0, failedBatches: 0 };
  readonly #sqs: AwsJsonClient;
  readonly #pool: FunctionPool;
  readonly #freed = new Signal();
  readonly #running = new Set<Promise<void>>();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(mapping: QueueMapping, sqs: AwsJsonClient, pool: FunctionPool) {
    this.mapping = mapping;
    this.#sqs = sqs;
    this.#pool = pool;
  }

  start(): void {
    this.#loop = this.#poll();
  }

  /** Receives no more. The caller ends the queue's long polls, then awaits `quiet`. */
  stop(): void {
    this.#stopping = true;
    this.#freed.ring();
  }

  /** Resolves when the last receive is done; invocations may still run. */
  async left(): Promise<void> {
    await this.#loop;
  }

  /** Resolves when the last receive and the last invocation are done. */
  async quiet(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#running);
  }

  async #poll(): Promise<void> {
    while (!this.#stopping) {
      const slots = this.#slots();
      if (slots <= 0) {
        await this.#freed.wait(50); // another mapping of the same function may have freed it
        continue;
      }
      try {
        const messages = await this.#gather(slots);
        for (let from = 0; from < messages.length; from += this.mapping.batchSize) {
          this.#dispatch(messages.slice(from, from + this.mapping.batchSize));
        }
      } catch {
        await this.#freed.wait(RETRY_MS); // the server is away: try again soon; `stop` rings
      }
    }
  }

  #slots(): number {
    const own = (this.mapping.maximumConcurrency ?? Infinity) - this.#running.size;
    return Math.min(own, this.#pool.free);
  }

  /** Receives up to a batch for each free slot; with a window, waits for a batch to fill. */
  async #gather(slots: number): Promise<Message[]> {
    const { batchSize, windowMs } = this.mapping;
    const wanted = windowMs > 0 ? batchSize : Math.min(10, batchSize * slots);
    const messages = await this.#receive(Math.min(10, wanted), LONG_POLL_SECONDS);
    if (windowMs === 0 || messages.length === 0) return messages;
    const deadline = Date.now() + windowMs;
    while (messages.length < wanted && !this.#stopping) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      messages.push(...(await this.#receive(Math.min(10, wanted - messages.length), left / 1000)));
    }
    return messages;
  }

  async #receive(count: number, waitSeconds: number): Promise<Message[]> {
    const { queueUrl, filters } = this.mapping;
    const answer = await this.#sqs.call('AmazonSQS.ReceiveMessage', {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    const { Messages: messages } = received.parse(answer);
    if (filters.length === 0) return messages;
    const wanted = messages.filter((message) => passesFilters(filters, filterView(message)));
    await this.#delete(messages.filter((message) => !wanted.includes(message)));
    return wanted;
  }

  #dispatch(batch: Message[]): void {
    const run = this.#run(batch).finally(() => {
      this.#running.delete(run);
      this.#freed.ring();
    });
    this.#running.add(run);
  }

  async #run(batch: Message[]): Promise<void> {
    this.use.batches += 1;
    this.use.messages += batch.length;
    for (const { Body } of batch)
      this.use.largestBytes = Math.max(this.use.largestBytes, Buffer.byteLength(Body));
    const result = await this.#pool.invoke(
      JSON.stringify({ Records: batch.map((message) => this.#record(message)) }),
    );
    if (result.outcome !== 'succeeded') {
      this.use.failedBatches += 1;
      if (this.#stopping) await this.#giveBack(batch);
      return;
    }
    const ids = batch.map((message) => message.MessageId);
    const failed = this.mapping.reportsItemFailures ? failedItems(result.payload, ids) : new Set<string>();
    if (failed.size > 0) this.use.failedBatches += 1;
    await this.#delete(batch.filter((message) => !failed.has(message.MessageId)));
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    for (let from = 0; from < messages.length; from += 10) {
      const entries = messages
        .slice(from, from + 10)
        .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await this.#sqs.call('AmazonSQS.DeleteMessageBatch', {
        QueueUrl: this.mapping.queueUrl,
        Entries: entries,
      });
      this.use.deleted += entries.length;
    }
  }

  /** The cloud is stopping and its functions were ended: the next start finds these messages at once. */
  async #giveBack(messages: readonly Message[]): Promise<void> {
    for (const { ReceiptHandle } of messages) {
      await this.#sqs
        .call('AmazonSQS.ChangeMessageVisibility', {
          QueueUrl: this.mapping.queueUrl,
          ReceiptHandle,
          VisibilityTimeout: 0,
        })
        .catch(() => undefined); // the visibility timeout returns it later
    }
  }

  #record(message: Message): unknown {
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
          name,
          {
            dataType: DataType,
            stringValue: StringValue,
            binaryValue: BinaryValue,
            stringListValues: [],
            binaryListValues: [],
          },
        ]),
      ),
      md5OfBody: message.MD5OfBody,
      ...(message.MD5OfMessageAttributes === undefined
        ? {}
        : { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
      eventSource: 'aws:sqs',
      eventSourceARN: this.mapping.queueArn,
      awsRegion: this.mapping.region,
    };
  }
}

/** Filters look into a body that is JSON, and see any other body as text. */
function filterView(message: Message): unknown {
  try {
    return {
      messageId: message.MessageId,
      body: z.unknown().parse(JSON.parse(message.Body)),
      attributes: message.Attributes,
    };
  } catch {
    return { messageId: message.MessageId, body: message.Body, attributes: message.Attributes };
  }
}
