import { randomUUID } from 'node:crypto';
import { PublishCommand } from '@aws-sdk/client-sns';
import type { PublisherEvent } from './events.ts';

export * from './events.ts';

export interface PublisherOptions {
  /** With the region and the credentials of whoever publishes. */
  readonly client: { send(command: PublishCommand): Promise<unknown> };
  /** The stack's outputs RequestsTopicArn and HostChangesTopicArn. */
  readonly requestsTopicArn: string;
  readonly hostChangesTopicArn: string;
  /** Who publishes, as a URI reference: it stands wherever the request does. */
  readonly source: string;
}

/** What was published: by this a repeat is the same request. */
export interface Published {
  readonly source: string;
  readonly id: string;
}

/**
 * Publishes events to Drayage.
 *
 *     const publish = createPublisher({ client: new SNSClient({}), requestsTopicArn, hostChangesTopicArn, source: '/ops/anna' });
 *     await publish(batchMoveRequested({ reason: 'new hardware', host: 'a' }), { id: 'ticket-4711' });
 */
export function createPublisher({ client, requestsTopicArn, hostChangesTopicArn, source }: PublisherOptions) {
  /**
   * @param id the same id with the same event is the same request, however often it is published; without one each is
   * a request of its own
   * @param traceparent where in a trace the publisher is, as W3C Trace Context has it: what follows is told as a part of it
   * @throws whatever the SDK throws; then nobody knows whether it was published, and it is safe to publish it again
   * under the same id
   */
  return async (
    { topic, type, data }: PublisherEvent,
    { id = randomUUID(), traceparent }: { readonly id?: string; readonly traceparent?: string } = {},
  ): Promise<Published> => {
    await client.send(
      new PublishCommand({
        TopicArn: topic === 'requests' ? requestsTopicArn : hostChangesTopicArn,
        Message: JSON.stringify({ specversion: '1.0', id, source, type, traceparent, data }),
        MessageAttributes: { type: { DataType: 'String', StringValue: type } },
      }),
    );
    return { source, id };
  };
}
