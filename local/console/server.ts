import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { listenOn, stopListening } from '../servers/http.ts';

/** The console on this machine. */
export interface ConsoleServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface ConsoleServerOptions {
  /** The built files. */
  readonly folder: string;
  readonly port: number;
  /** Where the status API is, and a key to it: the page is handed both. */
  readonly api: { readonly url: string; readonly key: string };
}

interface File {
  readonly type: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Hands out the console and its settings on 127.0.0.1. The settings hold the key: they are for pages of this server
 * alone, so whoever asks under another name (a page elsewhere whose name leads here) gets nothing.
 * @throws CloudError `PortTaken`
 */
export async function serveConsole({ folder, port, api }: ConsoleServerOptions): Promise<ConsoleServer> {
  const files = await readAll(folder);
  const config: File = { type: 'application/json', body: Buffer.from(JSON.stringify(api)) };
  const headers = {
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ${new URL(api.url).origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };

  function answer(
    { url = '/', method, headers: { host = '' } }: IncomingMessage,
    outgoing: ServerResponse,
  ): void {
    if (!/^(?:127\.0\.0\.1|localhost):\d+$/.test(host)) {
      outgoing.writeHead(421, headers).end();
      return;
    }
    const { pathname } = new URL(url, 'http://127.0.0.1');
    const file =
      pathname === '/config.json' ? config : files.get(pathname === '/' ? '/index.html' : pathname);
    if (file === undefined || (method !== 'GET' && method !== 'HEAD')) {
      outgoing.writeHead(404, headers).end();
      return;
    }
    outgoing.writeHead(200, {
      ...headers,
      'content-type': file.type,
      'content-length': file.body.length,
      // Their names change with what is in them.
      'cache-control': pathname.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-store',
    });
    outgoing.end(method === 'HEAD' ? undefined : file.body);
  }

  const server = createServer(answer);
  await listenOn(server, port);
  return {
    url: `http://127.0.0.1:${String(port)}/`,
    stop: () => stopListening(server),
  };
}

/** By the path under which each is asked for. */
async function readAll(folder: string): Promise<ReadonlyMap<string, File>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const read = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, File]> => {
      const path = join(entry.parentPath, entry.name);
      const type = types[extname(path)] ?? 'application/octet-stream';
      return [`/${relative(folder, path)}`, { type, body: await readFile(path) }];
    });
  return new Map(await Promise.all(read));
}
