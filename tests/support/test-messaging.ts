import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { startMessaging } from '../../local/servers/messaging.ts';
import { freePort } from '../../local/servers/ports.ts';
import { openSecrets, SecretsError } from '../../local/servers/secrets.ts';
import { scratchRoot } from '../../local/servers/scratch-root.ts';

const region = 'eu-central-1';

export interface TestServer {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** SNS, SQS and S3 with nothing in them. */
export async function startTestMessaging(): Promise<TestServer> {
  const dataDir = await mkdtemp(join(await scratchRoot(), 'drayage-messaging-'));
  const log = createWriteStream(join(dataDir, 'messaging.log'));
  const server = await startMessaging({
    port: await freePort(),
    dataDir,
    region,
    log,
    onObject: () => undefined,
    onDeath: () => undefined,
  });
  return {
    endpoint: server.endpoint,
    stop: async () => {
      await server.stop();
      await new Promise<void>((resolve) => {
        log.end(resolve);
      });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Secrets Manager with nothing in it. */
export async function startTestSecrets(): Promise<TestServer> {
  const dataDir = await mkdtemp(join(await scratchRoot(), 'drayage-secrets-'));
  const secrets = await openSecrets(join(dataDir, 'secrets.json'), region);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).replace('secretsmanager.', '');
      void secrets.answer(operation, JSON.parse(Buffer.concat(chunks).toString())).then(
        (answer) => {
          response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(answer));
        },
        (error: unknown) => {
          const code = error instanceof SecretsError ? error.code : 'InternalServiceError';
          response
            .writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
            .end(JSON.stringify({ __type: code }));
        },
      );
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
