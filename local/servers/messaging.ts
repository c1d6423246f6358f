import { fileURLToPath } from 'node:url';
import type { WriteStream } from 'node:fs';
import { CloudError } from '../cloud-error.ts';
import { ended, spawnOwned } from './owned-process.ts';
import { MESSAGING_SETTINGS, messagingReport, type ObjectChange } from './messaging-protocol.ts';

/** The running SNS, SQS and S3 server. */
export interface MessagingServer {
  readonly endpoint: string;
  readonly pid: number;
  /** Ends every long poll at once, so that no poller is cut off holding a message. */
  release(): void;
  /** Lets long polls wait again. */
  resume(): void;
  stop(): Promise<void>;
}

/** What the messaging server needs. */
export interface MessagingOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly region: string;
  readonly log: WriteStream;
  readonly onObject: (change: ObjectChange) => void;
  readonly onDeath: (reason: string) => void;
}

/** Starts the server in a process of its own and waits until it listens. */
export async function startMessaging(options: MessagingOptions): Promise<MessagingServer> {
  const { port, dataDir, region } = options;
  const child = spawnOwned(
    process.execPath,
    [fileURLToPath(new URL('./messaging-main.ts', import.meta.url))],
    {
      env: { ...process.env, [MESSAGING_SETTINGS]: JSON.stringify({ port, dataDir, region }) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  child.stdout?.pipe(options.log, { end: false });
  child.stderr?.pipe(options.log, { end: false });
  let stopping = false;

  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(
        new CloudError(
          'CloudStartFailed',
          `SNS, SQS and S3 did not start: ${reason}. See the log messaging.log.`,
        ),
      );
    };
    child.once('error', (error) => {
      fail(error.message);
    });
    child.once('exit', (code, signal) => {
      fail(`the process ended (${String(code ?? signal)})`);
      if (!stopping) options.onDeath(`SNS, SQS and S3 ended (${String(code ?? signal)})`);
    });
    child.on('message', (raw) => {
      const message = messagingReport.parse(raw);
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'object') options.onObject(message);
      else if (message.code === 'EADDRINUSE') reject(new CloudError('PortTaken', message.message));
      else fail(message.message);
    });
  });

  return {
    endpoint: `http://127.0.0.1:${String(port)}`,
    pid: child.pid ?? 0,
    release: () => {
      if (child.connected) child.send({ kind: 'release' });
    },
    resume: () => {
      if (child.connected) child.send({ kind: 'resume' });
    },
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      await ended(child, 3000);
    },
  };
}
