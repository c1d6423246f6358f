import { request, type Agent, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CloudError, codeOf } from '../cloud-error.ts';

/** Reads a whole body; refuses more than `limit` bytes by an error. */
export async function readBody(message: IncomingMessage, limit = 32 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > limit) throw new Error(`The body is over ${String(limit)} bytes.`);
    chunks.push(bytes);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** What an upstream answered, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Where requests are passed on to. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  readonly agent: Agent;
}

/** Sends `body` upstream under the headers of `incoming` and reads the whole answer. */
export function exchange(
  upstream: Upstream,
  incoming: IncomingMessage,
  body: Buffer | string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: upstream.host,
        port: upstream.port,
        agent: upstream.agent,
        method: incoming.method ?? 'POST',
        path: incoming.url ?? '/',
        headers: { ...incoming.headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        readBody(response).then((answer) => {
          resolve({ status: response.statusCode ?? 502, headers: response.headers, body: answer });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Streams a request upstream and its answer back, untouched. */
export function passOn(upstream: Upstream, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const forwarded = request(
    {
      host: upstream.host,
      port: upstream.port,
      agent: upstream.agent,
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: incoming.headers,
    },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    },
  );
  forwarded.on('error', (error) => {
    if (outgoing.headersSent) outgoing.destroy();
    else sendJson(outgoing, 502, { __type: 'ServiceUnavailable', message: error.message });
  });
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) forwarded.destroy();
  });
  incoming.pipe(forwarded);
}

/** Answers JSON in the AWS way. */
export function sendJson(outgoing: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
  });
  outgoing.end(text);
}

/** Listens on 127.0.0.1. @throws CloudError `PortTaken` */
export async function listenOn(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        codeOf(error) === 'EADDRINUSE'
          ? new CloudError('PortTaken', `Port ${String(port)} of 127.0.0.1 is taken; choose another.`)
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** Takes no more requests and cuts those that are under way. */
export async function stopListening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
