import type { Context, SQSRecord } from 'aws-lambda';

const queue = (name: string): string => `http://127.0.0.1:1/000000000000/${name}`;

/** Variables that a function can start with. */
export const variables = {
  STAGE: 'test',
  INSTALLATION: 'test',
  LOG_LEVEL: 'INFO',
  TABLE_NAME: 'table',
  CLAIMS_BUCKET: 'claims',
  MANIFESTS_BUCKET: 'manifests',
  ANNOUNCEMENTS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:000000000000:announcements',
  NOTIFICATIONS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:000000000000:notifications',
  REQUESTS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:000000000000:requests',
  HOST_CHANGES_TOPIC_ARN: 'arn:aws:sns:eu-central-1:000000000000:host-changes',
  PLAN_QUEUE_URL: queue('plan'),
  DISPATCH_QUEUE_URL: queue('dispatch'),
  TRANSFER_QUEUE_URL: queue('transfer'),
  CUTOVER_QUEUE_URL: queue('cutover'),
  RETIRE_QUEUE_URL: queue('retire'),
  ROLLBACK_QUEUE_URL: queue('rollback'),
  HOST_SWEEP_QUEUE_URL: queue('host-sweep'),
  LEASE_MS_TRANSFER: '3000',
  LEASE_MS_CUTOVER: '2000',
  LEASE_MS_RETIRE: '3000',
  LEASE_MS_ROLLBACK: '3000',
  SLOW_STORE_MS: '250',
  PATIENCE_MS: '60000',
  FRESH_MS: '600000',
  HOST_NETWORKS: '10.0.0.0/8,fc00::/7',
  SCALING: JSON.stringify({
    all: { least: 50, gradient: 25, stepS: 55, cooldownS: 1800 },
    zone: { least: 25, gradient: 10, stepS: 55, cooldownS: 1800 },
    host: { least: 1, gradient: 1, stepS: 55, cooldownS: 300 },
  }),
  MAX_RECEIVES: '5',
  DEADLINE_MARGIN_MS: '4000',
} as const;

/** An invocation with this much time left. */
export function invocationContext(remainingMs: number): Context {
  return {
    awsRequestId: 'invocation-1',
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'drayage-test',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:drayage-test',
    memoryLimitInMB: '256',
    logGroupName: '/aws/lambda/drayage-test',
    logStreamName: 'stream',
    getRemainingTimeInMillis: () => remainingMs,
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}

/** A record as SQS delivers it. */
export function queueRecord(messageId: string, body: string): SQSRecord {
  return {
    messageId,
    receiptHandle: messageId,
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1790000000000',
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: '1790000000001',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:queue',
    awsRegion: 'eu-central-1',
  };
}
