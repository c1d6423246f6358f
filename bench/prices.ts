/**
 * AWS's list prices in dollars: us-east-1, arm64, on demand, first tier, nothing free. As of 28 November 2026;
 * docs/cost.md says where each of them was seen. Per million of what is named, and of data per gigabyte.
 */
export const prices = {
  /** To a topic; what SNS delivers to SQS is free. */
  publish: 0.5,
  /** Of SQS: a send, receive or delete, of up to ten messages and 64 KiB. */
  queueRequest: 0.4,
  invocation: 0.2,
  gigabyteSecond: 13.3334,
  /** Of DynamoDB on demand: a KiB written, in the table or in an index. */
  writeUnit: 0.625,
  /** 4 KiB read consistently; half of it for what is read from an index. */
  readUnit: 0.125,
  objectWrite: 5,
  objectRead: 0.4,
  secretRead: 5,
  /** Of Step Functions, Standard. */
  transition: 25,
  /** Of Lambda's durable functions: an operation, a gigabyte written, a gigabyte kept for a month. */
  durableOperation: 8,
  durableGigabyte: 0.25,
  durableGigabyteMonth: 0.15,
} as const;
