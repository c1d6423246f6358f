import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startServer, type PostgresServer, type ServerOptions } from '../../local/demo/servers.ts';
import { scratchRoot } from '../../local/servers/scratch-root.ts';

/** Two real servers, on which one endpoint after another is moved under faults. */
export interface FaultHosts {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  close(): Promise<void>;
}

/** What is given for both, or for one of the two hosts, over what suits small moves. */
export interface FaultHostOptions {
  readonly both?: Partial<ServerOptions>;
  readonly source?: Partial<ServerOptions>;
  readonly target?: Partial<ServerOptions>;
}

/** Starts `host-a`, the source, and `host-b`, the target. */
export async function raiseFaultHosts(options: FaultHostOptions = {}): Promise<FaultHosts> {
  const folder = mkdtempSync(path.join(await scratchRoot(), 'drayage-faults-'));
  chmodSync(folder, 0o755);
  const start = async (name: string, more: Partial<ServerOptions> = {}): Promise<PostgresServer> =>
    startServer({
      folder,
      ...options.both,
      ...more,
      name,
      settings: {
        shared_buffers: '32MB',
        max_wal_size: '256MB',
        ...options.both?.settings,
        ...more.settings,
      },
    });
  const started = await Promise.allSettled([
    start('host-a', options.source),
    start('host-b', options.target),
  ]);
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.remove()));
    rmSync(folder, { recursive: true, force: true });
  };
  const [source, target] = servers;
  for (const each of started) {
    if (each.status === 'fulfilled') continue;
    await close();
    throw each.reason;
  }
  if (source === undefined || target === undefined) throw new Error('two servers were started');
  return { source, target, close };
}
