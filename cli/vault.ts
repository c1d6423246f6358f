import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { asPortError } from '../shared/aws/trouble.ts';

/** Where passwords go. */
export interface Vault {
  /**
   * Keeps a password under a name.
   * @returns takes it back: what was there before is there again
   * @throws StoreUnavailable
   */
  keep(name: string, password: string): Promise<() => Promise<void>>;
}

export function createVault(client: SecretsManagerClient): Vault {
  return {
    async keep(name, password) {
      try {
        const before = await read(name);
        if (before === password) return () => Promise.resolve();
        if (before === undefined) {
          await client.send(
            new CreateSecretCommand({
              Name: name,
              SecretString: password,
              Description: 'The password by which Drayage reaches a host',
            }),
          );
          return async () => {
            await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
          };
        }
        await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: password }));
        return async () => {
          await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: before }));
        };
      } catch (error) {
        throw asPortError(error, 'the secret manager');
      }
    },
  };

  async function read(name: string): Promise<string | undefined> {
    try {
      return (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }
}
