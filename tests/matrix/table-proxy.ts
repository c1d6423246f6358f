import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exchange, passOn, readBody, type Upstream } from '../../local/servers/http.ts';
import type { Passage, Sentry } from './passage.ts';
import { rowWritesOf, writtenBy } from './row-writes.ts';
import { listenOnLoopback } from '../support/loopback.ts';

export interface TableProxy {
  readonly endpoint: string;
  /** Where everything goes; until then nothing is answered. */
  forwardTo(endpoint: string): void;
  close(): Promise<void>;
}

/** Stands before DynamoDB: every write passes the sentry, and so does its answer. */
export async function startTableProxy(sentry: Sentry): Promise<TableProxy> {
  const agent = new Agent({ keepAlive: true });
  let upstream: Upstream | undefined;

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (upstream === undefined) throw new Error('not forwarding yet');
    const operation = String(incoming.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
    const reads = ['GetItem', 'BatchGetItem', 'Query', 'DescribeTable'].includes(operation);
    if (reads) {
      passOn(upstream, incoming, outgoing);
      return;
    }
    const body = await readBody(incoming);
    const rows = rowWritesOf(operation, body.toString('utf8'));
    const passage: Passage = { kind: 'writes', rows };
    if ((await sentry.asked(passage)) === 'drop') {
      outgoing.destroy();
      return;
    }
    const exchanged = exchange(upstream, incoming, body);
    const held = sentry.sent(passage);
    const answer = await exchanged;
    await held;
    const done = writtenBy(operation, answer.status, answer.body.toString('utf8'), rows.length);
    if ((await sentry.answered(passage, done)) === 'drop') {
      outgoing.destroy();
      return;
    }
    outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
    outgoing.end(answer.body);
  }

  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => {
      outgoing.destroy();
    });
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  const listening = await listenOnLoopback(server);
  return {
    endpoint: `http://127.0.0.1:${String(listening)}`,
    forwardTo: (endpoint) => {
      const { hostname, port } = new URL(endpoint);
      upstream = { host: hostname, port: Number(port), agent };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
        agent.destroy();
      }),
  };
}
