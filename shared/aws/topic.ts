import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { textOf, type Notification } from '../domain/notification.ts';
import { writeTraceparent } from '../domain/trace.ts';
import type { Announcement } from '../ports/bus.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { pauseAfter, type Patience } from './patience.ts';
import { asPortError } from './trouble.ts';

export interface TopicOptions {
  readonly client: SNSClient;
  readonly arn: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience: Patience;
}

/** A message of a topic. */
export interface TopicMessage {
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** For those who get it as a letter. */
  readonly subject?: string;
}

const messagesPerCall = 10;
/** SNS takes 256 KiB in one call; the rest is left for its own attributes. */
const bytesPerCall = 240 * 1024;

/** Publishes messages, many in one call. @throws StoreUnavailable */
export function createPublisher(options: TopicOptions): (messages: readonly TopicMessage[]) => Promise<void> {
  const { client, arn, patience } = options;
  return async (messages) => {
    let open = messages;
    for (let nth = 1; open.length > 0; nth += 1) {
      const rejected: TopicMessage[] = [];
      for (const group of groups(open)) rejected.push(...(await publish(group)));
      open = rejected;
      if (open.length === 0) return;
      if (nth >= patience.tries)
        throw new StoreUnavailable(`the topic ${arn} did not take ${String(open.length)} events`);
      await pauseAfter(nth, patience, options);
    }
  };

  async function publish(messages: readonly TopicMessage[]): Promise<TopicMessage[]> {
    try {
      const { Successful } = await client.send(
        new PublishBatchCommand({
          TopicArn: arn,
          PublishBatchRequestEntries: messages.map(({ text, attributes, subject }, index) => ({
            Id: String(index),
            Message: text,
            ...(subject === undefined ? {} : { Subject: subject }),
            MessageAttributes: Object.fromEntries(
              Object.entries(attributes).map(([name, value]) => [
                name,
                { DataType: 'String', StringValue: value },
              ]),
            ),
          })),
        }),
      );
      const sent = new Set(Successful?.map(({ Id }) => Id));
      return messages.filter((_, index) => !sent.has(String(index)));
    } catch (error) {
      throw asPortError(error, 'the topic');
    }
  }
}

function* groups(messages: readonly TopicMessage[]): Generator<readonly TopicMessage[]> {
  let group: TopicMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (group.length === messagesPerCall || (group.length > 0 && bytes + size > bytesPerCall)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(message);
    bytes += size;
  }
  if (group.length > 0) yield group;
}

const sizeOf = ({ text, attributes }: TopicMessage): number =>
  Buffer.byteLength(text) + Buffer.byteLength(Object.values(attributes).join(''));

/**
 * An announcement as a CloudEvents 1.0 event in structured JSON.
 * @param source of our events: a URI reference that names this installation
 */
export function eventMessage(
  { id, type, subject, at, data, trace }: Announcement,
  source: string,
): TopicMessage {
  const text = JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    ...(trace === undefined ? {} : { traceparent: writeTraceparent(trace) }),
    data,
  });
  return { text, attributes: { type } };
}

/** What an e-mail's subject takes. */
const longestSubject = 99;

/** News for people in words, and for programs in attributes. */
export function newsMessage(notification: Notification, source: string): TopicMessage {
  const { id, kind, subject, about, at } = notification;
  return {
    text: `${textOf(notification)}\n`,
    subject: `${source}: ${subject}`.replace(/[^\x20-\x7e]/g, '?').slice(0, longestSubject),
    attributes: { id, kind, time: new Date(at).toISOString(), about: JSON.stringify(about) },
  };
}
