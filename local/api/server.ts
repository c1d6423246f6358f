import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '../cloud-error.ts';
import { figuresPage } from '../metrics/figures-page.ts';
import { openMetricsType } from '../metrics/open-metrics.ts';
import { listenOn, readBody, stopListening } from '../servers/http.ts';
import type { RestApi } from './rest-api.ts';

/** The server in front of the stages of APIs. */
export interface ApiServer {
  readonly endpoint: string;
  /** Where figures are: on this machine only, and without a key. */
  readonly metrics: string;
  /** The APIs by their stages: the first part of a path. Replaces those that were served before. */
  serve(apis: ReadonlyMap<string, RestApi>): void;
  stop(): Promise<void>;
}

const metricsPath = '/metrics';
/** Where exporters of OpenTelemetry send spans. */
const tracesPath = '/v1/traces';

/** What stands beside the APIs, where none has a stage of that name. */
export interface Beside {
  /** What is told at `/metrics`. */
  readonly figures: () => string;
  /** Takes what is sent to `/v1/traces`; absent: nobody does. @throws SyntaxError when it is no JSON */
  readonly spans?: (body: string) => void;
}

/** API Gateway takes no more. */
const largestBody = 10 * 1024 * 1024;

/**
 * Listens on 127.0.0.1.
 * @throws CloudError `PortTaken`
 */
export async function startApiServer(port: number, { figures, spans }: Beside): Promise<ApiServer> {
  let served: ReadonlyMap<string, RestApi> = new Map();

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    const [, stage = '', rest = ''] = /^\/([^/]*)(.*)$/.exec(url.pathname) ?? [];
    const api = served.get(stage);
    if (api === undefined && url.pathname === metricsPath) {
      // A browser asks for a page, Prometheus for its own form.
      if (incoming.headers.accept?.includes('text/html') === true)
        outgoing.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(figuresPage(figures()));
      else outgoing.writeHead(200, { 'Content-Type': openMetricsType }).end(figures());
      return;
    }
    const body = await readBody(incoming, largestBody);
    if (api === undefined && spans !== undefined && url.pathname === tracesPath) {
      const status = takes(spans, body.toString('utf8')) ? 200 : 400;
      outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end('{}');
      return;
    }
    const requestId = randomUUID();
    const made =
      api === undefined
        ? { status: 403, headers: { 'Content-Type': 'application/json' }, text: '{"message":"Forbidden"}' }
        : await api.answer({
            method: incoming.method ?? 'GET',
            path: rest === '' ? '/' : rest,
            query: url.searchParams,
            headers: headersOf(incoming),
            body: body.toString('utf8'),
            requestId,
            at: Date.now(),
          });
    const bytes = Buffer.from(made.text);
    outgoing.writeHead(made.status, {
      ...made.headers,
      'x-amzn-RequestId': requestId,
      'content-length': bytes.length,
    });
    outgoing.end(bytes);
  }

  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end(JSON.stringify({ message: messageOf(error) }));
    });
  });
  await listenOn(server, port);
  const endpoint = `http://127.0.0.1:${String(port)}`;
  return {
    endpoint,
    metrics: `${endpoint}${metricsPath}`,
    serve: (apis) => {
      served = apis;
    },
    stop: () => stopListening(server),
  };
}

function takes(spans: (body: string) => void, body: string): boolean {
  try {
    spans(body);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Of a header that is sent twice, the last. */
const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]): [string, string][] => {
      const last = Array.isArray(value) ? value.at(-1) : value;
      return last === undefined ? [] : [[name, last]];
    }),
  );
