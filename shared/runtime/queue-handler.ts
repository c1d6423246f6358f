import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type * as z from 'zod';
import type { Invocation } from '../workflow/services.ts';
import { invocationOf, platform, wrap } from './platform.ts';

type QueueHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/**
 * A function behind a queue of our own messages: each record by itself and all at once, failures answered one
 * by one. A record that is no message of ours will never be one: it is logged and let go, not tried again. The
 * rows know what was to be done.
 */
export function queueHandler<Message>(
  schema: z.ZodType<Message>,
  handle: (message: Message, invocation: Invocation) => Promise<void>,
): QueueHandler {
  return recordHandler(async (record, invocation) => {
    const message = read(schema, record.body, record);
    if (message !== undefined) await handle(message.value, invocation);
  });
}

/** A function behind a queue that is subscribed to a topic of the world's: it reads the texts itself. */
export function textQueueHandler(
  handle: (text: string, delivery: { readonly receivedAt: number }) => Promise<void>,
): QueueHandler {
  // When the queue took it in, the same at each delivery.
  return recordHandler((record) =>
    handle(record.body, { receivedAt: Number(record.attributes.SentTimestamp) }),
  );
}

function recordHandler(handle: (record: SQSRecord, invocation: Invocation) => Promise<void>): QueueHandler {
  return wrap(async (event, context) => {
    const invocation = invocationOf(context);
    const processor = new BatchProcessor(EventType.SQS);
    const work = async (record: SQSRecord): Promise<void> => {
      try {
        await handle(record, invocation);
        count('RecordsHandled');
      } catch (error) {
        report(error, record);
        throw error;
      }
    };
    return processPartialResponse(event, work, processor, {
      context,
      throwOnFullBatchFailure: false,
    });
  });
}

/** The same for messages that are best looked at together; they fail together too. */
export function gatheringQueueHandler<Message>(
  schema: z.ZodType<Message>,
  handle: (messages: readonly Message[], invocation: Invocation) => Promise<void>,
): QueueHandler {
  return wrap(async (event, context) => {
    const messages = event.Records.flatMap((record) => {
      const message = read(schema, record.body, record);
      return message === undefined ? [] : [message.value];
    });
    try {
      await handle(messages, invocationOf(context));
      count('RecordsHandled', messages.length);
      return { batchItemFailures: [] };
    } catch (error) {
      for (const record of event.Records) report(error, record);
      return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    }
  });
}

function read<Message>(
  schema: z.ZodType<Message>,
  text: string,
  { messageId }: Pick<SQSRecord, 'messageId'>,
): { readonly value: Message } | undefined {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return { value: parsed.data };
  count('RecordsRefused');
  platform().logger.error('message refused: it is not of a form that this release reads', {
    messageId,
    issues: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
  });
  return undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function report(error: unknown, { messageId, attributes }: SQSRecord): void {
  count('RecordsFailed');
  platform().logger.error('record failed, it will be delivered again', {
    messageId,
    received: attributes.ApproximateReceiveCount,
    error: error instanceof Error ? error : new Error(String(error)),
  });
}

function count(metric: string, value = 1): void {
  platform().metrics.addMetric(metric, MetricUnit.Count, value);
}
