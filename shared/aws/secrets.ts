import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { StepFailure } from '../domain/failure.ts';
import type { Secrets } from '../ports/secrets.ts';
import { asPortError } from './trouble.ts';

/** A role that may read its own stage's secrets only is answered "access denied" for all others, there or not. */
const absentNames = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'ValidationException',
  'InvalidParameterException',
  'InvalidRequestException',
  'DecryptionFailure',
]);

/** Passwords in Secrets Manager, by name or ARN: the secret's text is the password. Nothing is cached. */
export function createSecrets({ client }: { readonly client: SecretsManagerClient }): Secrets {
  return {
    async fetch(reference) {
      try {
        const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: reference }));
        if (SecretString !== undefined) return SecretString;
      } catch (error) {
        if (!(error instanceof Error) || !absentNames.has(error.name))
          throw asPortError(error, 'the secret manager');
      }
      throw missing(reference);
    },
  };
}

function missing(reference: string): StepFailure {
  return new StepFailure(
    {
      code: 'secret-missing',
      sentence: `there is no secret with a text value under the reference "${reference}", or none that may be read`,
      cure: "create it with the password as its text below drayage/<stage>/, or correct the host's secret reference",
    },
    'fail',
  );
}
