/**
 * SNS, SQS and S3 in a process of their own: fauxqs on the loopback interface, with its state in one SQLite file,
 * plus what it lacks and this project needs (conditional puts, object events, long polls that end cleanly).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buildApp } from 'fauxqs';
import { z } from 'zod';
import { PersistenceManager } from '../../node_modules/fauxqs/dist/persistence.js';
import { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../../node_modules/fauxqs/dist/sns/snsStore.js';
import { SqsStore } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js';
import { ACCOUNT_ID } from '../template/stack.ts';
import { codeOf, messageOf } from '../cloud-error.ts';
import { callerOf, CallLog } from './call-log.ts';
import {
  MESSAGING_SETTINGS,
  messagingOrder,
  messagingSettings,
  type ObjectChange,
} from './messaging-protocol.ts';
import { conditionFails, objectChangeOf, refusedSubresource } from './object-rules.ts';

const settings = messagingSettings.parse(JSON.parse(process.env[MESSAGING_SETTINGS] ?? '{}'));
process.on('disconnect', () => process.exit(0));
const report = (
  message: { kind: 'ready' } | { kind: 'failed'; code?: string; message: string } | ObjectChange,
): void => {
  process.send?.(message);
};

try {
  await serve();
} catch (error) {
  const code = codeOf(error);
  report({ kind: 'failed', message: messageOf(error), ...(code === undefined ? {} : { code }) });
  process.exitCode = 1;
  process.disconnect();
}

async function serve(): Promise<void> {
  mkdirSync(settings.dataDir, { recursive: true });
  const persistence = new PersistenceManager(settings.dataDir);
  tunePersistence(persistence);
  const sqsStore = new SqsStore();
  const snsStore = new SnsStore();
  const s3Store = new S3Store();
  persistence.load(sqsStore, snsStore, s3Store);
  sqsStore.persistence = persistence;
  snsStore.persistence = persistence;
  s3Store.persistence = persistence;
  for (const queue of sqsStore.allQueues()) queue.persistence = persistence;
  // Without a host name, queue URLs are http://127.0.0.1:port/…, which every client can resolve.
  sqsStore.host = '';

  let released = false;
  const calls = CallLog.open(settings.region);
  const app = buildApp({
    logger: false,
    defaultRegion: settings.region,
    stores: { sqsStore, snsStore, s3Store },
  });

  app.addHook('preHandler', async (request, reply) => {
    if (released) dropWait(request.body);
    const caller = callerOf(request.headers['user-agent']);
    if (caller !== undefined) {
      calls?.note(caller, {
        method: request.method,
        url: request.url,
        target: String(request.headers['x-amz-target'] ?? ''),
        fields: z.record(z.string(), z.unknown()).catch({}).parse(request.body),
      });
    }
    const refused = refusedSubresource(request.method, request.url);
    if (refused !== undefined) {
      await reply.code(501).type('application/xml').send(errorXml('NotImplemented', refused));
      return;
    }
    const failed = conditionFails(request.method, request.url, request.headers, s3Store);
    if (failed !== undefined) {
      await reply.code(412).type('application/xml').send(errorXml('PreconditionFailed', failed));
    }
  });

  // A client that hung up during a long poll must not hide the message that arrived meanwhile.
  app.addHook('onSend', async (request, _reply, payload) => {
    if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage' && request.raw.socket.destroyed) {
      giveBack(sqsStore, request.body, payload);
    }
    return payload;
  });

  app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode >= 300) return;
    const change = objectChangeOf(request.method, request.url, request.headers, s3Store);
    if (change !== undefined) report(change);
  });

  process.on('message', (raw) => {
    released = messagingOrder.parse(raw).kind === 'release';
    if (released) sqsStore.shutdown();
  });
  process.on('SIGTERM', () => {
    void app.close().then(() => {
      persistence.close();
      process.exit(0);
    });
  });

  await app.listen({ host: '127.0.0.1', port: settings.port });
  report({ kind: 'ready' });
}

/**
 * State must survive the death of processes, not of the machine: without a disk flush per message the queue is
 * many times faster. Queue URLs of the last run are moved to this run's port.
 */
function tunePersistence(persistence: PersistenceManager): void {
  const { db } = z.object({ db: z.instanceof(DatabaseSync) }).parse(persistence);
  db.exec('PRAGMA synchronous = OFF');
  // As it comes it would forget how often the message was received, which the file refuses: a message that is given
  // back at once (visibility 0) would be lost.
  const ready = db.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => {
    ready.run(messageId);
  };
  const base = `http://127.0.0.1:${String(settings.port)}/${ACCOUNT_ID}/`;
  const file = new DatabaseSync(join(settings.dataDir, 'fauxqs.db'));
  file.prepare('UPDATE sqs_queues SET url = ? || name').run(base);
  file.close();
}

function dropWait(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'WaitTimeSeconds' in body) body.WaitTimeSeconds = 0;
}

function giveBack(store: SqsStore, body: unknown, payload: unknown): void {
  const asked = z.object({ QueueUrl: z.string() }).safeParse(body);
  const queue = asked.success ? store.getQueue(asked.data.QueueUrl) : undefined;
  if (queue === undefined || typeof payload !== 'string') return;
  const answered = z
    .object({ Messages: z.array(z.object({ ReceiptHandle: z.string() })).default([]) })
    .parse(JSON.parse(payload));
  for (const { ReceiptHandle: handle } of answered.Messages) {
    const held = queue.inflightMessages.get(handle);
    if (held !== undefined) held.message.approximateReceiveCount -= 1;
    queue.changeVisibility(handle, 0);
  }
}

function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}
