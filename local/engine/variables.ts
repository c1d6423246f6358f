import { CREDENTIALS } from '../provision/clients.ts';

/** Variables that make any AWS SDK or CLI talk to this cloud, and never to AWS. */
export function clientVariables(region: string, gateway: string, messaging: string): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    // Whatever has no address of its own goes to the gateway, which refuses what is not emulated.
    AWS_ENDPOINT_URL: gateway,
    AWS_ENDPOINT_URL_DYNAMODB: gateway,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: gateway,
    AWS_ENDPOINT_URL_LAMBDA: gateway,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: gateway,
    AWS_ENDPOINT_URL_S3: messaging,
    AWS_ENDPOINT_URL_SNS: messaging,
    AWS_ENDPOINT_URL_SQS: messaging,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** What an execution environment gets besides: nothing of the user's own environment but the search path. */
export function sharedVariables(
  variables: Readonly<Record<string, string>>,
  temporary: string,
): Record<string, string> {
  return {
    ...variables,
    PATH: process.env['PATH'] ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    TMPDIR: temporary,
  };
}
