import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type pg from 'pg';

/** The state of the transaction after a command, as ReadyForQuery tells it: idle, in one, in a failed one. */
export type WireStatus = 'I' | 'T' | 'E';

/**
 * The socket of a session between two ReadyForQuery, taken from the client library: everything that arrives
 * goes to `receive`, everything written is ours. Give it back after the last ReadyForQuery; if the
 * conversation broke off in the middle, destroy the session instead.
 */
export interface Wire {
  /** False when the socket's buffer is full: wait for `drained` before writing much more. */
  write(bytes: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Who gets what arrives. */
  receive(listener: (chunk: Buffer) => void): void;
  /** Stop and go on reading: backpressure. */
  pause(): void;
  resume(): void;
  /** Rejects when the connection is lost; never resolves. */
  readonly lost: Promise<never>;
  /** As it was when the wire was taken. */
  readonly status: WireStatus;
  giveBack(status: WireStatus): void;
}

/** @param released called once the wire is given back or lost */
export function takeWire(client: pg.Client, released: () => void): Promise<Wire> {
  return new Promise((resolve, reject) => {
    let fail: (error: unknown) => void = reject;
    // The shape that the client library's queue expects of a query.
    client.query({
      submit(connection: pg.Connection) {
        const wire = openWire(connection.stream, client.getTransactionStatus() ?? 'I', released);
        fail = wire.fail;
        resolve(wire.wire);
      },
      handleError(error: unknown) {
        fail(error);
        released();
      },
      handleReadyForQuery() {
        released();
      },
    });
  });
}

function openWire(
  socket: Duplex,
  status: WireStatus,
  released: () => void,
): { wire: Wire; fail: (error: unknown) => void } {
  const parsers = socket.listeners('data').filter((listener) => isDataListener(listener));
  socket.removeAllListeners('data');
  let listener: (chunk: Buffer) => void = () => undefined;
  const onData = (chunk: Buffer): void => listener(chunk);
  socket.on('data', onData);
  let fail: (error: unknown) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  lost.catch(() => undefined);
  const closed = (): void => {
    fail(new Error('Connection terminated'));
    released();
  };
  socket.once('close', closed);
  const wire: Wire = {
    write: (bytes) => socket.write(bytes),
    drained: async () => {
      if (!socket.writableNeedDrain) return;
      await Promise.race([once(socket, 'drain'), lost]);
    },
    receive: (next) => {
      listener = next;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    lost,
    status,
    giveBack: (after) => {
      socket.off('data', onData);
      socket.off('close', closed);
      for (const parser of parsers) socket.on('data', parser);
      // The library waits for the end of "its" query: tell it in its own words.
      socket.emit('data', Buffer.from([0x5a, 0, 0, 0, 5, after.charCodeAt(0)]));
      socket.resume();
    },
  };
  return { wire, fail };
}

function isDataListener(listener: unknown): listener is (chunk: Buffer) => void {
  return typeof listener === 'function';
}
