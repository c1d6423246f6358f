import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ObjectChange } from '../servers/messaging-protocol.ts';

const filter = z
  .object({ S3Key: z.object({ Rules: z.array(z.object({ Name: z.string(), Value: z.string() })) }) })
  .optional();

const notificationSchema = z.object({
  QueueConfigurations: z
    .array(z.object({ Event: z.string(), Queue: z.string(), Filter: filter }))
    .default([]),
  TopicConfigurations: z
    .array(z.object({ Event: z.string(), Topic: z.string(), Filter: filter }))
    .default([]),
  LambdaConfigurations: z
    .array(z.object({ Event: z.string(), Function: z.string(), Filter: filter }))
    .default([]),
});

interface Rule {
  readonly event: string;
  readonly target: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** Who wants to know of a bucket's objects. */
export interface BucketNotification {
  readonly bucket: string;
  readonly rules: readonly Rule[];
}

/** Reads a bucket's `NotificationConfiguration`. */
export function bucketNotification(bucket: string, configuration: unknown): BucketNotification {
  const parsed = notificationSchema.parse(configuration ?? {});
  const all = [
    ...parsed.QueueConfigurations.map((one) => ({ ...one, target: one.Queue })),
    ...parsed.TopicConfigurations.map((one) => ({ ...one, target: one.Topic })),
    ...parsed.LambdaConfigurations.map((one) => ({ ...one, target: one.Function })),
  ];
  const affix = (one: (typeof all)[number], name: string): string =>
    one.Filter?.S3Key.Rules.find((rule) => rule.Name.toLowerCase() === name)?.Value ?? '';
  return {
    bucket,
    rules: all.map((one) => ({
      event: one.Event.replace(/^s3:/, ''),
      target: one.target,
      prefix: affix(one, 'prefix'),
      suffix: affix(one, 'suffix'),
    })),
  };
}

/** ARNs to tell of a change. */
export function targetsOf(notifications: readonly BucketNotification[], change: ObjectChange): string[] {
  return notifications
    .filter(({ bucket }) => bucket === change.bucket)
    .flatMap(({ rules }) => rules)
    .filter(
      ({ event }) =>
        event === change.event || (event.endsWith(':*') && change.event.startsWith(event.slice(0, -1))),
    )
    .filter(({ prefix, suffix }) => change.key.startsWith(prefix) && change.key.endsWith(suffix))
    .map(({ target }) => target);
}

/** The message that S3 sends; the key is URL-encoded, with `+` for a space. Objects have no versions here. */
export function objectEvent(change: ObjectChange, region: string): unknown {
  return {
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: region,
        eventTime: new Date().toISOString(),
        eventName: change.event,
        userIdentity: { principalId: 'local' },
        requestParameters: { sourceIPAddress: '127.0.0.1' },
        responseElements: { 'x-amz-request-id': randomUUID() },
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'local',
          bucket: {
            name: change.bucket,
            ownerIdentity: { principalId: 'local' },
            arn: `arn:aws:s3:::${change.bucket}`,
          },
          object: {
            key: encodeURIComponent(change.key).replaceAll('%20', '+').replaceAll('%2F', '/'),
            size: change.size,
            eTag: change.etag,
            sequencer: nextSequencer(),
          },
        },
      },
    ],
  };
}

let sequence = 0;

/** Grows with every event, also with those of one millisecond and of an earlier start. */
function nextSequencer(): string {
  sequence = Math.max(sequence + 1, Date.now() * 1_000);
  return sequence.toString(16).toUpperCase().padStart(16, '0');
}
