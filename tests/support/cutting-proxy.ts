import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './loopback.ts';

/**
 * What becomes of the next request:
 * - `pass`: it goes through
 * - `drop-request`: the connection ends before the server has seen it
 * - `drop-answer`: the server has answered, and the connection ends instead
 * - `hold`: nobody answers; the server gets it when `land` is called
 */
export type Cut = 'pass' | 'drop-request' | 'drop-answer' | 'hold';

export interface CuttingProxy {
  readonly endpoint: string;
  /** Fates of the next requests, one each; all others pass. */
  readonly fates: Cut[];
  /** Requests seen so far. */
  readonly seen: () => number;
  /** Hands the held requests to the server, and resolves when it has answered them. */
  land(): Promise<void>;
  close(): Promise<void>;
}

/** A wire that can be cut at any point of an exchange. It understands nothing but who speaks. */
export async function startCuttingProxy(upstream: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(upstream);
  const sockets = new Set<Socket>();
  const fates: Cut[] = [];
  const held: Buffer[][] = [];
  let requests = 0;

  const server = createServer((client) => {
    const service = connect(Number(port), hostname);
    let fate: Cut = 'pass';
    let asking = false;
    let kept: Buffer[] = [];
    for (const socket of [client, service]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        service.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      // Every request begins after the answer to the one before it.
      if (!asking) {
        asking = true;
        requests += 1;
        fate = fates.shift() ?? 'pass';
        if (fate === 'hold') held.push((kept = []));
      }
      if (fate === 'drop-request') client.destroy();
      else if (fate === 'hold') kept.push(chunk);
      else service.write(chunk);
    });
    service.on('data', (chunk: Buffer) => {
      asking = false;
      if (fate === 'drop-answer') client.destroy();
      else client.write(chunk);
    });
  });
  const listening = await listenOnLoopback(server);

  return {
    endpoint: `http://127.0.0.1:${String(listening)}`,
    fates,
    seen: () => requests,
    land: async () => {
      for (const request of held.splice(0)) await deliver(request, Number(port), hostname);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

async function deliver(request: readonly Buffer[], port: number, hostname: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const service = connect(port, hostname, () => {
      service.write(Buffer.concat(request));
    });
    service.once('data', () => {
      service.destroy();
      resolve();
    });
    service.once('error', reject);
  });
}
