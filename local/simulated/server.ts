import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { behaviourSchema } from '../../shared/drivers/simulated/behaviour.ts';
import { check, type Findings } from '../../shared/drivers/simulated/check.ts';
import { Network } from '../../shared/drivers/simulated/network.ts';
import { isKind, parseInput } from '../../shared/drivers/simulated/protocol.ts';
import { fleetSchema, makeFleet } from './fleet.ts';
import { SimulatedWriters } from './writers.ts';

/** Many simulated hosts on one port of this machine, in memory. */
export interface SimulatedServer {
  readonly port: number;
  readonly network: Network;
  /** The mover's way to a host. */
  readonly url: (host: string) => string;
  /** Begins (or with 0 ends) clients that write to every database in turn. */
  write(perSecond: number): void;
  check(): Findings;
  /** Connections of movers. */
  connections(): number;
  /** Ends every connection. Safe to call twice. */
  close(): Promise<void>;
}

const operationSchema = z.strictObject({
  password: z.string().optional(),
  options: behaviourSchema,
  kind: z.string().refine(isKind),
  input: z.unknown(),
});
const hostSchema = z.strictObject({
  name: z.string(),
  system: z.string().optional(),
  password: z.string().optional(),
  behaviour: behaviourSchema.optional(),
});
const databasesSchema = z.strictObject({
  host: z.string(),
  databases: z.array(
    z.strictObject({ name: z.string(), bytes: z.int().optional(), rows: z.int().optional() }),
  ),
});

const writeEveryMs = 20;

/** Starts on 127.0.0.1; `port` 0 takes a free one. */
export async function startSimulatedServer(port = 0): Promise<SimulatedServer> {
  const network = new Network();
  const writers = new SimulatedWriters(network, Date.now);
  const links = new Map<Socket, string>();
  let writing: NodeJS.Timeout | undefined;

  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch((error: unknown) => {
      reply(outgoing, 500, { error: error instanceof Error ? error.message : 'unknown' });
    });
  });
  // Connections are sessions: only their other end closes them.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    const link = network.connect();
    links.set(socket, link);
    socket.setNoDelay(true);
    socket.on('close', () => {
      links.delete(socket);
      network.disconnect(link);
    });
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = decodeURIComponent((incoming.url ?? '').replace(/^\//, ''));
    const body: unknown = JSON.parse((await read(incoming)) || '{}');
    if (path.startsWith('-/')) {
      reply(outgoing, 200, administer(path.slice(2), body));
      return;
    }
    const { password, options, kind, input } = operationSchema.parse(body);
    const ms = network.delayMs(path);
    if (ms > 0) await delay(ms);
    const link = links.get(incoming.socket) ?? '';
    const found = network.ask(path, { link, password, options }, kind, parseInput(kind, input), Date.now());
    if (found.kind === 'lost') incoming.socket.destroy();
    else if (found.kind === 'refusal') reply(outgoing, 409, found.body);
    else reply(outgoing, 200, found.output);
  }

  function administer(what: string, body: unknown): unknown {
    switch (what) {
      case 'fleet':
        return makeFleet(network, fleetSchema.parse(body), Date.now());
      case 'host': {
        const { name, system, password, behaviour } = hostSchema.parse(body);
        network.addHost({
          name,
          ...(system === undefined ? {} : { system }),
          ...(password === undefined ? {} : { password }),
          ...(behaviour === undefined ? {} : { behaviour }),
        });
        return { url: url(name) };
      }
      case 'databases': {
        const { host, databases } = databasesSchema.parse(body);
        for (const { name, bytes = 8_192, rows = 10 } of databases)
          network.addDatabase(host, { name, bytes, rows }, Date.now());
        return {};
      }
      case 'behaviour': {
        const { host, behaviour } = z
          .strictObject({ host: z.string(), behaviour: behaviourSchema })
          .parse(body);
        network.behave(host, behaviour);
        return {};
      }
      case 'crash':
        network.crash(z.strictObject({ host: z.string() }).parse(body).host);
        return {};
      case 'writers':
        write(z.strictObject({ perSecond: z.number().min(0) }).parse(body).perSecond);
        return {};
      case 'check':
        return check(network);
      default:
        throw new RangeError(
          `there is no "${what}": fleet, host, databases, behaviour, crash, writers or check`,
        );
    }
  }

  function write(perSecond: number): void {
    clearInterval(writing);
    if (perSecond === 0) return;
    const databases = [...new Set(network.acknowledged.map(({ database }) => database))];
    let owed = 0;
    writing = setInterval(() => {
      owed += (perSecond * writeEveryMs) / 1000;
      writers.write(databases, Math.floor(owed));
      owed -= Math.floor(owed);
    }, writeEveryMs);
  }

  const url = (host: string): string => `sim://127.0.0.1:${String(boundPort)}/${encodeURIComponent(host)}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = server.address();
  const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
  return {
    port: boundPort,
    network,
    url,
    write,
    check: () => check(network),
    connections: () => links.size,
    async close() {
      clearInterval(writing);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: string[] = [];
  incoming.setEncoding('utf8');
  for await (const chunk of incoming) chunks.push(z.string().parse(chunk));
  return chunks.join('');
}

function reply(outgoing: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  outgoing.end(text);
}
