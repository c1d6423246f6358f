import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './loopback.ts';

/** A wire to a server that understands nothing, and can be cut or fall silent with everything on it. */
export interface FaultyWire {
  readonly port: number;
  /** Ends every connection at once; new ones go through. */
  cut(): void;
  /** What is connected now stays so, and not a byte goes through any more, in neither direction. New ones go through. */
  silence(): void;
  close(): Promise<void>;
}

export async function startFaultyWire(upstream: number): Promise<FaultyWire> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const silent = new Set<Socket>();
  const server = createServer((client) => {
    const service = connect(upstream, '127.0.0.1');
    const pair = [client, service] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [service, client] as const]) {
      from.on('error', () => undefined);
      from.on('data', (chunk: Buffer) => {
        if (!silent.has(from)) to.write(chunk);
      });
      from.on('close', () => {
        if (silent.has(from)) return;
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  const port = await listenOnLoopback(server);
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  return {
    port,
    cut,
    silence: () => {
      for (const pair of pairs) for (const socket of pair) silent.add(socket);
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
