import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { listenOnLoopback } from './loopback.ts';

/** A service that gives one answer, whatever it is asked. */
export interface AnsweringServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

export async function startAnsweringServer(
  answer: (response: ServerResponse) => void,
): Promise<AnsweringServer> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      answer(response);
    });
  });
  const port = await listenOnLoopback(server);
  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
