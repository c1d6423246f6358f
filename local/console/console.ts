import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudError } from '../cloud-error.ts';
import type { Cloud } from '../cloud.ts';
import { demandPort, freePort } from '../servers/ports.ts';
import { builtConsole } from './build.ts';
import { serveConsole, type ConsoleServer } from './server.ts';

export interface ConsoleOptions {
  /** The folder of the project. */
  readonly root: string;
  readonly cloud: Pick<Cloud, 'api' | 'stateDir'>;
  /** Default: any that is free, the same one again if it still is. */
  readonly port?: number;
  readonly onNotice?: (text: string) => void;
}

/**
 * Shows an embedded cloud in a browser, until it is stopped.
 * @throws CloudError `ConsoleNotBuilt`, `PortTaken`
 */
export async function startConsole({ root, cloud, port, onNotice }: ConsoleOptions): Promise<ConsoleServer> {
  const { api, stateDir } = cloud;
  if (api === undefined)
    throw new CloudError('ConsoleNotBuilt', 'The template has no API that a console could read.');
  const kept = join(stateDir, 'console-port');
  const chosen = port === undefined ? await freePort(await lastPort(kept)) : await demandPort(port);
  const server = await serveConsole({ folder: await builtConsole(root, onNotice), port: chosen, api });
  await writeFile(kept, String(chosen));
  return server;
}

async function lastPort(file: string): Promise<number | undefined> {
  const port = Number(await readFile(file, 'utf8').catch(() => ''));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
