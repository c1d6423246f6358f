/**
 * The program of the worker thread that runs pg_dump, as text.
 *
 * As text, because a worker in a file of its own is lost by bundlers: `new Worker(new URL(…))` is left as it
 * stands while the file is not shipped. The only thing looked up at run time is the package of pg_dump
 * itself, whose place the main thread finds and hands over in `workerData.pgDump`.
 *
 * pg_dump reads and writes its connection synchronously. So this thread collects what it writes until a
 * request is complete (a Query or a Sync), posts it, sleeps in `Atomics.wait` until the main thread has the
 * whole answer, and takes that from the port. The start-up message is answered here: the main thread is
 * long authenticated. Terminate is dropped: the session belongs to the main thread.
 */
export const workerSource = String.raw`
'use strict';
const { workerData, receiveMessageOnPort } = require('node:worker_threads');
// Each dump is a program that runs once, for less than a second: that V8 compiles it a second time in other threads,
// for speed, is two thirds of what a dump costs, and gains nothing.
const { setFlagsFromString } = require('node:v8');
for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag);
const { pgDump } = require(workerData.pgDump);
const { port, args, parameters } = workerData;
const bell = new Int32Array(workerData.bell);

function ask(bytes) {
  Atomics.store(bell, 0, 0);
  port.postMessage({ kind: 'request', bytes });
  // The call that belongs to the answer before may come as late as now: only the bell itself counts.
  while (Atomics.load(bell, 0) === 0) Atomics.wait(bell, 0, 0);
  const received = receiveMessageOnPort(port);
  if (received === undefined || received.message.kind !== 'answer') throw new Error('the bridge is closed');
  return received.message.bytes;
}

function frame(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part + '\0') : part)));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const welcome = Buffer.concat([
  frame('R', Buffer.alloc(4)),
  ...parameters.map(([name, value]) => frame('S', name, value)),
  frame('K', Buffer.alloc(8)),
  frame('Z', Buffer.from('I')),
]);

let pending = Buffer.alloc(0);
let started = false;

/** Length of all complete messages up to the last one that waits for an answer; 0 when there is none. */
function complete() {
  let at = 0;
  let end = 0;
  while (at + 5 <= pending.length) {
    const next = at + 1 + pending.readUInt32BE(at + 1);
    if (next > pending.length) break;
    const type = String.fromCharCode(pending[at]);
    if (type === 'X') {
      pending = Buffer.concat([pending.subarray(0, at), pending.subarray(next)]);
      continue;
    }
    at = next;
    if (type === 'Q' || type === 'S') end = at;
  }
  return end;
}

const pg = {
  query: async () => ({ rows: [{ search_path: '' }] }),
  exec: async () => [],
  execProtocolRawStream(bytes, { onRawData }) {
    pending = Buffer.concat([pending, bytes]);
    if (!started) {
      if (pending.length < 8 || pending.length < pending.readUInt32BE(0)) return;
      const version = pending.readUInt32BE(4);
      pending = pending.subarray(pending.readUInt32BE(0));
      // 3.x is a start-up; anything else asks for encryption, which the main thread has already settled.
      started = version >> 16 === 3;
      onRawData(started ? welcome : Buffer.from('N'));
      return;
    }
    const end = complete();
    if (end === 0) return;
    const request = Uint8Array.from(pending.subarray(0, end));
    pending = pending.subarray(end);
    onRawData(ask(request));
  },
};

// Stays until it is terminated: a thread that ends by itself may overtake its last message.
const ended = () => port.on('message', () => undefined);

pgDump({ pg, args })
  .then((file) => file.text())
  .then(
    (text) => port.postMessage({ kind: 'done', text }),
    (error) => port.postMessage({ kind: 'failed', message: String(error && error.message) }),
  )
  .then(ended);
`;
