import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

/** The SDK clients that provisioning uses, all of this machine. */
export interface ProvisionClients {
  readonly dynamodb: DynamoDBClient;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  close(): void;
}

/** Credentials that the emulators accept: any will do. */
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Ordinary SDK clients pointed at the local servers. */
export function createProvisionClients(
  region: string,
  endpoints: { readonly dynamodb: string; readonly messaging: string },
): ProvisionClients {
  const common = { region, credentials: CREDENTIALS };
  const dynamodb = new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb });
  const s3 = new S3Client({ ...common, endpoint: endpoints.messaging, forcePathStyle: true });
  const sns = new SNSClient({ ...common, endpoint: endpoints.messaging });
  const sqs = new SQSClient({ ...common, endpoint: endpoints.messaging });
  return {
    dynamodb,
    s3,
    sns,
    sqs,
    close: () => {
      for (const client of [dynamodb, s3, sns, sqs]) client.destroy();
    },
  };
}
