import { describe, expect, test } from '@jest/globals';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { createSecretsClient } from '../../shared/aws/clients.ts';
import { createSecrets } from '../../shared/aws/secrets.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import type { Secrets } from '../../shared/ports/secrets.ts';
import { startAnsweringServer } from '../support/answering-server.ts';
import { createMemorySecrets } from '../support/memory-secrets.ts';
import { startTestSecrets } from '../support/test-messaging.ts';
import { localClient } from '../support/test-table.ts';

interface Opened {
  readonly secrets: Secrets;
  readonly close: () => Promise<void>;
}

async function openManager(): Promise<Opened> {
  const server = await startTestSecrets();
  const client = createSecretsClient(localClient(server.endpoint));
  await client.send(new CreateSecretCommand({ Name: 'hosts/alpha', SecretString: 'pä$$ word' }));
  await client.send(new CreateSecretCommand({ Name: 'hosts/binary', SecretBinary: new Uint8Array([1]) }));
  return {
    secrets: createSecrets({ client }),
    close: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

async function openMemory(): Promise<Opened> {
  const secrets = createMemorySecrets(new Map([['hosts/alpha', 'pä$$ word']]));
  return await Promise.resolve({ secrets, close: async () => await Promise.resolve() });
}

describe.each([
  { name: 'memory', open: openMemory },
  { name: 'the secret manager', open: openManager },
])('secrets in $name', ({ open }) => {
  test('are fetched by reference, and those that are missing or no text are named', async () => {
    const { secrets, close } = await open();
    try {
      expect(await secrets.fetch('hosts/alpha')).toBe('pä$$ word');
      for (const reference of ['hosts/binary', 'hosts/none']) {
        await expect(secrets.fetch(reference)).rejects.toMatchObject({
          failure: { code: 'secret-missing', sentence: expect.stringContaining(reference) },
          verdict: 'fail',
        });
      }
    } finally {
      await close();
    }
  });
});

test('a secret that the role may not read counts as missing: what it names is not ours', async () => {
  const server = await startAnsweringServer((response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: 'AccessDeniedException', Message: 'not authorized' }));
  });
  const client = createSecretsClient(localClient(server.endpoint));
  try {
    await expect(createSecrets({ client }).fetch('another/stage')).rejects.toMatchObject({
      failure: { code: 'secret-missing' },
      verdict: 'fail',
    });
  } finally {
    client.destroy();
    await server.close();
  }
});

test('a secret manager that cannot be reached is unavailable', async () => {
  const client = createSecretsClient(localClient('http://127.0.0.1:1'));
  await expect(createSecrets({ client }).fetch('hosts/alpha')).rejects.toThrow(StoreUnavailable);
  client.destroy();
});
