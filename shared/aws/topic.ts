import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Announcement } from '../ports/bus.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { pauseAfter, type Patience } from './patience.ts';
import { asPortError } from './trouble.ts';

export interface TopicOptions {
  readonly client: SNSClient;
  readonly arn: string;
  /** The `source` of our events: a URI reference that names this installation. */
  readonly source: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience: Patience;
}

const eventsPerCall = 10;
/** SNS takes 256 KiB in one call; the rest is left for its own attributes. */
const bytesPerCall = 240 * 1024;

/** Publishes announcements as CloudEvents 1.0 in structured JSON. @throws StoreUnavailable */
export function createPublisher(
  options: TopicOptions,
): (announcements: readonly Announcement[]) => Promise<void> {
  const { client, arn, patience } = options;
  return async (announcements) => {
    let open = announcements.map((each) => ({ type: each.type, text: cloudEvent(each, options.source) }));
    for (let nth = 1; open.length > 0; nth += 1) {
      const rejected: typeof open = [];
      for (const group of groups(open)) rejected.push(...(await publish(group)));
      open = rejected;
      if (open.length === 0) return;
      if (nth >= patience.tries)
        throw new StoreUnavailable(`the topic ${arn} did not take ${String(open.length)} events`);
      await pauseAfter(nth, patience, options);
    }
  };

  async function publish<E extends { readonly type: string; readonly text: string }>(
    events: readonly E[],
  ): Promise<E[]> {
    try {
      const { Successful } = await client.send(
        new PublishBatchCommand({
          TopicArn: arn,
          PublishBatchRequestEntries: events.map(({ type, text }, index) => ({
            Id: String(index),
            Message: text,
            MessageAttributes: { type: { DataType: 'String', StringValue: type } },
          })),
        }),
      );
      const sent = new Set(Successful?.map(({ Id }) => Id));
      return events.filter((_, index) => !sent.has(String(index)));
    } catch (error) {
      throw asPortError(error, 'the topic');
    }
  }
}

function* groups<E extends { readonly text: string }>(events: readonly E[]): Generator<readonly E[]> {
  let group: E[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.text);
    if (group.length === eventsPerCall || (group.length > 0 && bytes + size > bytesPerCall)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(event);
    bytes += size;
  }
  if (group.length > 0) yield group;
}

/** The text of an announcement. */
export function cloudEvent({ id, type, subject, at, data }: Announcement, source: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    subject,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data,
  });
}
