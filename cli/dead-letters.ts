import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { asPortError } from '../shared/aws/trouble.ts';

/** Our queues, each with one beside it for what its function could not digest. */
export const queueNames = [
  'requests',
  'host-changes',
  'manifests',
  'plan',
  'dispatch',
  'transfer',
  'cutover',
  'retire',
  'rollback',
  'host-sweep',
  'scale',
] as const;

/** What the relay could not pass on of the table's stream: it has no queue that it could be put back to. */
export const relayFailures = 'relay-failures';

/** A message that was set aside. */
export interface DeadLetter {
  /** As the queue calls it. */
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  /** Epoch milliseconds: when it was sent. */
  readonly sentAt: number;
  /** How often it was received, these looks included. */
  readonly receives: number;
  /** By which it can be taken away, while this look lasts. */
  readonly receipt: string;
  readonly attributes: Message['MessageAttributes'];
}

/** The queues of what was set aside. */
export interface DeadLetters {
  /** About how many there are, by queue. */
  counts(): Promise<readonly { readonly queue: string; readonly letters: number }[]>;
  /** All there are. Nobody else sees them until they are released, or the look ends by itself after a minute. */
  take(): Promise<readonly DeadLetter[]>;
  release(letters: readonly DeadLetter[]): Promise<void>;
  /** Sends it to its queue again, then takes it away: if one dies in between it is there twice, never not at all. */
  putBack(letter: DeadLetter): Promise<void>;
  discard(letter: DeadLetter): Promise<void>;
}

const lookSeconds = 60;
const mostPerQueue = 1_000;

/** @param prefix what the names of all queues of the installation begin with */
export function createDeadLetters({
  client,
  prefix,
}: {
  readonly client: SQSClient;
  readonly prefix: string;
}): DeadLetters {
  const urls = new Map<string, Promise<string>>();
  const places = [...queueNames, relayFailures];

  return {
    counts: async () =>
      Promise.all(places.map(async (queue) => ({ queue, letters: await letters(await deadUrl(queue)) }))),
    take: async () => (await Promise.all(places.map(receiveAll))).flat(),
    async release(taken) {
      for (const queue of new Set(taken.map((letter) => letter.queue))) {
        const own = taken.filter((letter) => letter.queue === queue);
        for (let from = 0; from < own.length; from += 10) await show(queue, own.slice(from, from + 10));
      }
    },
    async putBack(letter) {
      const { body, attributes } = letter;
      await asking(async () =>
        client.send(
          new SendMessageCommand({
            QueueUrl: await urlOf(letter.queue),
            MessageBody: body,
            MessageAttributes: attributes,
          }),
        ),
      );
      await remove(letter);
    },
    discard: remove,
  };

  async function receiveAll(queue: string): Promise<DeadLetter[]> {
    const found = new Map<string, DeadLetter>();
    const QueueUrl = await deadUrl(queue);
    while (found.size < mostPerQueue) {
      const { Messages = [] } = await asking(async () =>
        client.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            // A wait asks every server of the queue, so that an empty answer means an empty queue.
            WaitTimeSeconds: 1,
            VisibilityTimeout: lookSeconds,
            MessageSystemAttributeNames: ['All'],
            MessageAttributeNames: ['All'],
          }),
        ),
      );
      if (Messages.length === 0) break;
      for (const message of Messages) {
        const letter = readLetter(queue, message);
        found.set(letter.id, letter);
      }
    }
    return [...found.values()];
  }

  async function show(queue: string, some: readonly DeadLetter[]): Promise<void> {
    const Entries = some.map(({ receipt }, index) => ({
      Id: String(index),
      ReceiptHandle: receipt,
      VisibilityTimeout: 0,
    }));
    const QueueUrl = await deadUrl(queue);
    await asking(async () => client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })));
  }

  async function remove({ queue, receipt }: DeadLetter): Promise<void> {
    const QueueUrl = await deadUrl(queue);
    await asking(async () => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt })));
  }

  async function letters(QueueUrl: string): Promise<number> {
    const { Attributes = {} } = await asking(async () =>
      client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      ),
    );
    const { ApproximateNumberOfMessages: seen = '0', ApproximateNumberOfMessagesNotVisible: taken = '0' } =
      Attributes;
    return Number(seen) + Number(taken);
  }

  async function deadUrl(queue: string): Promise<string> {
    return urlOf(queue === relayFailures ? queue : `${queue}-dead`);
  }

  async function urlOf(name: string): Promise<string> {
    const known = urls.get(name) ?? findUrl(`${prefix}-${name}`);
    urls.set(name, known);
    return known;
  }

  async function findUrl(QueueName: string): Promise<string> {
    const { QueueUrl } = await asking(async () => client.send(new GetQueueUrlCommand({ QueueName })));
    if (QueueUrl === undefined) throw new RangeError(`the queue ${QueueName} has no URL`);
    return QueueUrl;
  }
}

/** @throws StoreUnavailable */
async function asking<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asPortError(error, 'the queue');
  }
}

function readLetter(queue: string, message: Message): DeadLetter {
  const { MessageId = '', Body = '', ReceiptHandle = '', Attributes = {}, MessageAttributes } = message;
  return {
    id: MessageId,
    queue,
    body: Body,
    sentAt: Number(Attributes.SentTimestamp ?? 0),
    receives: Number(Attributes.ApproximateReceiveCount ?? 0),
    receipt: ReceiptHandle,
    attributes: MessageAttributes,
  };
}
