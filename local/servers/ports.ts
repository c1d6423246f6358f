import { createServer } from 'node:net';
import { CloudError, codeOf } from '../cloud-error.ts';

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}

/** A port that was free a moment ago on the loopback interface: `preferred` if it still is, else any. */
export async function freePort(preferred?: number): Promise<number> {
  const port = (preferred === undefined ? undefined : await tryListen(preferred)) ?? (await tryListen(0));
  if (port === undefined) {
    throw new CloudError(
      'PortTaken',
      'No port is free on 127.0.0.1; close some programs that listen and try again.',
    );
  }
  return port;
}

/** Fails with `PortTaken` unless `port` is free on the loopback interface. */
export async function demandPort(port: number): Promise<number> {
  const free = await tryListen(port);
  if (free === undefined) {
    throw new CloudError(
      'PortTaken',
      `Port ${String(port)} of 127.0.0.1 is taken by another program; stop it, or choose another port (0 takes any).`,
    );
  }
  return free;
}
