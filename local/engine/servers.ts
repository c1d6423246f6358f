import { demandPort, freePort } from '../servers/ports.ts';
import { startDynamo, type DynamoServer } from '../servers/dynamo.ts';
import { startMessaging, type MessagingServer } from '../servers/messaging.ts';
import type { ObjectChange } from '../servers/messaging-protocol.ts';
import type { EngineOptions } from '../protocol.ts';
import { readRecord, type StateDir } from '../state-dir.ts';

/** The servers that hold the cloud's data. */
export interface DataServers {
  readonly gatewayPort: number;
  readonly messagingPort: number;
  readonly apiPort: number;
  readonly messaging: MessagingServer;
  readonly dynamo: DynamoServer;
}

/** Starts SNS, SQS, S3 and DynamoDB side by side. */
export async function startDataServers(
  options: EngineOptions,
  dir: StateDir,
  region: string,
  heard: { readonly object: (change: ObjectChange) => void; readonly death: (reason: string) => void },
): Promise<DataServers> {
  const ports = await choosePorts(options, dir);
  const [messaging, dynamo] = await Promise.all([
    startMessaging({
      port: ports.messagingPort,
      dataDir: dir.messaging,
      region,
      log: await dir.openLog('messaging'),
      onObject: heard.object,
      onDeath: heard.death,
    }),
    startDynamo({
      kind: options.dynamo,
      port: await freePort(),
      dataDir: dir.dynamo,
      inMemory: options.inMemory,
      log: await dir.openLog('dynamo'),
      onDeath: heard.death,
    }),
  ]);
  return { ...ports, messaging, dynamo };
}

/** The caller's port and the next two; without one, those of the last start, so that saved addresses stay true. */
async function choosePorts(
  { port }: EngineOptions,
  dir: StateDir,
): Promise<Pick<DataServers, 'gatewayPort' | 'messagingPort' | 'apiPort'>> {
  if (port !== 0) {
    return {
      gatewayPort: await demandPort(port),
      messagingPort: await demandPort(port + 1),
      apiPort: await demandPort(port + 2),
    };
  }
  const last = await readRecord(dir.path);
  return {
    gatewayPort: await freePort(last?.gatewayPort),
    messagingPort: await freePort(last?.messagingPort),
    apiPort: await freePort(last?.apiPort),
  };
}
