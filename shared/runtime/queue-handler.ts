import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { Invocation } from '../workflow/services.ts';
import { StepFailure, type Failure } from '../domain/failure.ts';
import type { TracePlace } from '../domain/trace.ts';
import { senderOf } from '../contracts/messages.ts';
import { noteFailure } from '../workflow/note-failure.ts';
import { receiving } from './here.ts';
import { invocationOf, noteOfFunction, platform, wrap } from './platform.ts';
import { services } from './services.ts';

/** Called when a message has failed with the same error so often that one more try would end no better. */
type OnPoison<Message> = (message: Message, failure: Failure, invocation: Invocation) => Promise<void>;
type QueueHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/**
 * A function behind a queue of our own messages: each record by itself and all at once, failures answered one by
 * one. A record that is no message of ours fails too: perhaps a newer release can read it, else it is set aside
 * where people see it.
 */
export function queueHandler<Message>(
  schema: z.ZodType<Message>,
  handle: (message: Message, invocation: Invocation) => Promise<void>,
  onPoison?: OnPoison<Message>,
): QueueHandler {
  return recordHandler(
    async (record, invocation) => {
      await handle(read(schema, record.body), invocation);
    },
    async (record, failure, invocation) => {
      const { data } = schema.safeParse(jsonOf(record.body));
      if (data !== undefined) await onPoison?.(data, failure, invocation);
    },
    ({ body }) => pointedAt(schema, body),
  );
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

function recordHandler(
  handle: (record: SQSRecord, invocation: Invocation) => Promise<void>,
  onPoison?: OnPoison<SQSRecord>,
  about: (record: SQSRecord) => object = () => ({}),
): QueueHandler {
  return wrap(async (event, context) => {
    const invocation = invocationOf(context);
    const processor = new BatchProcessor(EventType.SQS);
    const work = async (record: SQSRecord): Promise<void> => {
      try {
        await handle(record, invocation);
        noteOfFunction('RecordsHandled');
      } catch (error) {
        const failure = await report(error, record, about(record));
        if (failure !== undefined) await setAside(record, failure, invocation);
        throw error;
      }
    };
    const workAsSent = async (record: SQSRecord): Promise<void> =>
      receiving(sendersOf([record]), async () => work(record));
    return processPartialResponse(event, workAsSent, processor, {
      context,
      throwOnFullBatchFailure: false,
    });
  });

  async function setAside(record: SQSRecord, failure: Failure, invocation: Invocation): Promise<void> {
    try {
      await onPoison?.(record, failure, invocation);
    } catch (trouble) {
      // The record has failed in any case, and comes again or is kept as a dead letter.
      platform().logger.warn('what a record is about could not be set aside', {
        messageId: record.messageId,
        error: String(trouble),
      });
    }
  }
}

/**
 * The same for messages that are best looked at together. If that fails, each is looked at alone, so that one
 * message takes no other with it.
 */
export function gatheringQueueHandler<Message>(
  schema: z.ZodType<Message>,
  handle: (messages: readonly Message[], invocation: Invocation) => Promise<void>,
): QueueHandler {
  return wrap(async (event, context) => {
    const invocation = invocationOf(context);
    const failed: SQSRecord[] = [];
    const attempt = async (records: readonly SQSRecord[]): Promise<void> => {
      const messages = records.map(({ body }) => read(schema, body));
      await receiving(sendersOf(records), async () => handle(messages, invocation));
      noteOfFunction('RecordsHandled', records.length);
    };
    const attemptAlone = async (record: SQSRecord): Promise<void> => {
      try {
        await attempt([record]);
      } catch (error) {
        await report(error, record, pointedAt(schema, record.body));
        failed.push(record);
      }
    };
    const readable = event.Records.filter(({ body }) => schema.safeParse(jsonOf(body)).success);
    for (const record of event.Records) if (!readable.includes(record)) await attemptAlone(record);
    try {
      if (readable.length > 0) await attempt(readable);
    } catch (error) {
      platform().logger.warn('records failed together, each is tried alone', { error: String(error) });
      for (const record of readable) await attemptAlone(record);
    }
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });
}

/** Where those were who have sent these. */
const sendersOf = (records: readonly SQSRecord[]): readonly TracePlace[] =>
  records.flatMap(({ body }) => senderOf(body) ?? []);

/** @throws StepFailure `message-unreadable` */
function read<Message>(schema: z.ZodType<Message>, text: string): Message {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  noteOfFunction('RecordsRefused');
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new StepFailure(
    {
      code: 'message-unreadable',
      sentence: `the message is not of a form that this release reads (${faults.join('; ').slice(0, 200)})`,
      cure: 'put it back once the release that sent it is deployed; discard it if nobody of ours has sent it',
    },
    'fail',
  );
}

const pointers = z
  .object({
    task: z.exactOptional(z.string()),
    phase: z.exactOptional(z.string()),
    batch: z.exactOptional(z.string()),
    host: z.exactOptional(z.string()),
  })
  .transform(({ task, ...others }) => (task === undefined ? others : { move: task, ...others }));

/** What a message of ours is about, for the log; of one that cannot be read nothing is said. */
function pointedAt<Message>(schema: z.ZodType<Message>, text: string): object {
  return pointers.safeParse(schema.safeParse(jsonOf(text)).data).data ?? {};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A message that failed once usually does not again; from the second time on it is kept why. */
const notedFrom = 2;
/** @returns the failure, once it has come too often for chance */
async function report(
  error: unknown,
  { messageId, attributes, eventSourceARN }: SQSRecord,
  about: object,
): Promise<Failure | undefined> {
  // Of all functions together there is an alarm.
  noteOfFunction('RecordsFailed', 1, {});
  const { logger, config } = platform();
  const receives = Number(attributes.ApproximateReceiveCount);
  if (receives >= config.MAX_RECEIVES) noteOfFunction('RecordsSetAside');
  logger.error('record failed, it will be delivered again', {
    messageId,
    received: receives,
    ...about,
    error: error instanceof Error ? error : new Error(String(error)),
  });
  if (receives < notedFrom) return undefined;
  const name = eventSourceARN.split(':').at(-1) ?? '';
  // Queues are called after the table: what is left is the queue's own name.
  const queue = name.startsWith(`${config.TABLE_NAME}-`) ? name.slice(config.TABLE_NAME.length + 1) : name;
  try {
    const setAside = receives >= config.MAX_RECEIVES ? ({ setAside: true } as const) : {};
    return await noteFailure(services(), { message: messageId, queue, receives, ...setAside }, error);
  } catch (trouble) {
    // The record has failed in any case; that its reason is not kept must not hide it.
    logger.warn('why a record failed could not be kept', { messageId, error: String(trouble) });
    return undefined;
  }
}
