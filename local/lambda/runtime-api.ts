import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readBody } from '../servers/http.ts';

/** An event on its way into an environment. */
export interface Delivery {
  readonly requestId: string;
  readonly functionArn: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly payload: string;
}

/** What the process of an environment says through the Runtime API. */
export interface RuntimeListener {
  /** It waits for an event. */
  ready(): void;
  responded(requestId: string, payload: string): void;
  failed(requestId: string, error: string): void;
  initFailed(error: string): void;
}

/** The Lambda Runtime API of one environment. */
export interface RuntimeApi {
  /** `host:port`, the value of `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  /** Answers the pending request for the next event. Only while the environment is ready. */
  deliver(delivery: Delivery): void;
  close(): void;
}

const BASE = '/2018-06-01/runtime';

/** Opens the API on a free port of the loopback interface. */
export async function openRuntimeApi(listener: RuntimeListener): Promise<RuntimeApi> {
  let pending: ServerResponse | undefined;

  async function route(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? '';
    if (incoming.method === 'GET' && path === `${BASE}/invocation/next`) {
      pending = outgoing;
      listener.ready();
      return;
    }
    const body = (await readBody(incoming)).toString('utf8');
    outgoing.writeHead(202, { 'content-length': 0 });
    outgoing.end();
    const [, requestId = '', kind = ''] =
      /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (kind === 'response') listener.responded(requestId, body);
    else if (kind === 'error') listener.failed(requestId, body);
    else if (path === `${BASE}/init/error`) listener.initFailed(body);
  }

  const server = createServer((incoming, outgoing) => {
    route(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    address: `127.0.0.1:${String(port)}`,
    deliver: ({ requestId, functionArn, deadline, payload }) => {
      pending?.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
        'lambda-runtime-aws-request-id': requestId,
        'lambda-runtime-invoked-function-arn': functionArn,
        'lambda-runtime-deadline-ms': String(deadline),
        'lambda-runtime-trace-id': `Root=1-${requestId.replaceAll('-', '')};Sampled=0`,
      });
      pending?.end(payload);
      pending = undefined;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
