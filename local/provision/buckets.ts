import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { bucketNotification, type BucketNotification } from '../sources/bucket-events.ts';
import type { Stack } from '../template/stack.ts';
import type { ProvisionClients } from './clients.ts';

/** Creates the buckets; answers who wants to know of their objects. */
export async function provisionBuckets(
  stack: Stack,
  { s3 }: ProvisionClients,
): Promise<BucketNotification[]> {
  const notifications: BucketNotification[] = [];
  for (const { logicalId, properties } of stack.ofType('AWS::S3::Bucket')) {
    const bucket = stack.ref(logicalId);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    notifications.push(bucketNotification(bucket, properties['NotificationConfiguration']));
  }
  return notifications;
}
