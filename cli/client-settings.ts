import type { ClientSettings } from '../shared/aws/clients.ts';
import type { Installation } from './installation.ts';

type Service = 'DYNAMODB' | 'S3' | 'SNS' | 'SQS' | 'SECRETS_MANAGER';

const loopback = /^https?:\/\/(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::\d+)?(?:\/|$)/;

/** How the SDK's client of a service reaches an installation. */
export function settingsFor(env: Installation['env'], service: Service): ClientSettings {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env['AWS_ENDPOINT_URL'];
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const profile = env['AWS_PROFILE'];
  // Temporary credentials are the SDK's own business, and where a profile has its.
  const isPlain = env['AWS_SESSION_TOKEN'] === undefined;
  return {
    ...(region === undefined ? {} : { region }),
    ...(isPlain && accessKeyId !== undefined && secretAccessKey !== undefined
      ? { credentials: { accessKeyId, secretAccessKey } }
      : profile === undefined
        ? {}
        : { profile }),
    ...(endpoint === undefined ? {} : { endpoint, local: loopback.test(endpoint) }),
  };
}
