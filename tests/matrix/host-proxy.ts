import { connect, createServer, type Socket } from 'node:net';
import { Frames, sqlOf, type Frame } from './frames.ts';
import type { Passage, Sentry } from './passage.ts';
import { listenOnLoopback } from '../support/loopback.ts';

export interface HostProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** Stands before a PostgreSQL server: every statement passes the sentry, and so does its answer. */
export async function startHostProxy(
  host: string,
  upstream: { readonly host: string; readonly port: number },
  sentry: Sentry,
): Promise<HostProxy> {
  const sockets = new Set<Socket>();
  let lines = 0;
  const server = createServer((client) => {
    const service = connect(upstream.port, upstream.host);
    for (const socket of [client, service]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    new Line({ host, line: (lines += 1) }, client, service, sentry).open();
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One connection. Its client never sends a statement before the one before it is answered. */
class Line {
  readonly #name: { readonly host: string; readonly line: number };
  readonly #client: Socket;
  readonly #service: Socket;
  readonly #sentry: Sentry;
  #open: Passage | undefined;
  #failed = false;
  #answerHeld: Promise<void> | undefined;

  constructor(
    name: { readonly host: string; readonly line: number },
    client: Socket,
    service: Socket,
    sentry: Sentry,
  ) {
    this.#name = name;
    this.#client = client;
    this.#service = service;
    this.#sentry = sentry;
  }

  open(): void {
    relay(this.#client, new Frames('client'), (frame) => this.#ask(frame), this.#service);
    relay(this.#service, new Frames('server'), (frame) => this.#answer(frame), this.#client);
  }

  #ask(frame: Frame): Promise<void> | undefined {
    const text = sqlOf(frame);
    if (text === undefined) {
      this.#service.write(frame.bytes);
      return undefined;
    }
    return this.#askFor({ kind: 'statement', ...this.#name, text }, frame);
  }

  async #askFor(passage: Passage, frame: Frame): Promise<void> {
    if ((await this.#sentry.asked(passage)) === 'drop') {
      this.#cut();
      return;
    }
    this.#open = passage;
    this.#failed = false;
    this.#service.write(frame.bytes);
    this.#answerHeld = this.#sentry.sent(passage);
  }

  async #answer(frame: Frame): Promise<void> {
    await this.#answerHeld;
    this.#answerHeld = undefined;
    if (frame.type === 'E') this.#failed = true;
    const answered = frame.type === 'Z' ? this.#open : undefined;
    if (answered !== undefined) {
      this.#open = undefined;
      if ((await this.#sentry.answered(answered, [!this.#failed])) === 'drop') {
        this.#cut();
        return;
      }
    }
    this.#client.write(frame.bytes);
  }

  #cut(): void {
    this.#client.destroy();
    this.#service.destroy();
  }
}

/** Takes one message after another; the end of one side follows what it said last. */
function relay(
  from: Socket,
  frames: Frames,
  take: (frame: Frame) => Promise<void> | undefined,
  to: Socket,
): void {
  let turn = Promise.resolve();
  from.on('data', (chunk: Buffer) => {
    turn = turn
      .then(async () => {
        for (const frame of frames.feed(chunk)) {
          const held = take(frame);
          if (held !== undefined) await held;
        }
      })
      .catch(() => {
        from.destroy();
        to.destroy();
      });
  });
  from.on('close', () => {
    void turn.then(() => to.destroySoon());
  });
}
