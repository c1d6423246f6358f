import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

/** What is left out, the SDK finds as usual. */
export interface ClientSettings {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A profile of the AWS configuration that names credentials, and a region where none is given. */
  readonly profile?: string;
  /**
   * The service is an emulator on this machine: no names of buckets or queues in the host's name, and requests
   * are not really signed, which saves over a third of a call's CPU.
   */
  readonly local?: boolean;
  /** A call that has no answer by then is tried again. By default 5,000. */
  readonly requestMs?: number;
}

/** Clients are made once and shared: nothing is connected until the first call. */
export function createDynamoClient(settings: ClientSettings = {}): DynamoDBClient {
  const client = new DynamoDBClient({ ...shared(settings), maxAttempts: 3 });
  client.middlewareStack.add((next) => async (args) => retryable(next(args)), {
    step: 'finalizeRequest',
    name: 'conflictsAreRetryable',
  });
  return client;
}

/** Somebody's transaction held the item for a moment, and nothing was done: the SDK would take that for an end. */
async function retryable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'TransactionConflictException')
      throw Object.assign(error, { $retryable: { throttling: false } });
    throw error;
  }
}

/** Sends everything once, and nothing again by itself: for the arbiter's writes. */
export function createDynamoOnceClient(settings: ClientSettings = {}): DynamoDBClient {
  return new DynamoDBClient({ ...shared(settings), maxAttempts: 1 });
}

export function createS3Client(settings: ClientSettings = {}): S3Client {
  return new S3Client({
    // Large bodies take longer than pointers.
    ...shared({ ...settings, requestMs: 6 * (settings.requestMs ?? defaultRequestMs) }),
    forcePathStyle: settings.local === true,
    // Claim checks carry their own hash.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

export function createSqsClient(settings: ClientSettings = {}): SQSClient {
  return new SQSClient({ ...shared(settings), useQueueUrlAsEndpoint: settings.local !== true });
}

export function createSnsClient(settings: ClientSettings = {}): SNSClient {
  return new SNSClient(shared(settings));
}

export function createSecretsClient(settings: ClientSettings = {}): SecretsManagerClient {
  return new SecretsManagerClient(shared(settings));
}

const defaultRequestMs = 5_000;

function shared({
  region,
  endpoint,
  credentials,
  profile,
  local,
  requestMs = defaultRequestMs,
}: ClientSettings) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(profile === undefined ? {} : { profile }),
    ...(local === true ? { signer: { sign: pretendingToSign(region) } } : {}),
    requestHandler: { connectionTimeout: 2_000, requestTimeout: requestMs, throwOnRequestTimeout: true },
  };
}

/** The emulators want to see a signature, read the region from its head, and check nothing. */
function pretendingToSign(region = 'local') {
  return async <R extends { headers: Record<string, string> }>(
    request: R,
    {
      signingRegion = region,
      signingService = 'local',
    }: { signingRegion?: string; signingService?: string } = {},
  ): Promise<R> => {
    const scope = `local/20260101/${signingRegion}/${signingService}/aws4_request`;
    request.headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
    request.headers['x-amz-date'] = '20260101T000000Z';
    return await Promise.resolve(request);
  };
}
