import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { HostSite } from '../../ports/driver.ts';
import { parseOutput, refusalSchema, type Inputs, type Kind, type Outputs } from './protocol.ts';
import { behaviourOf, failureOf, unreachable, type Link, type Transport } from './transport.ts';

/** An answer takes longer only when the host is gone. */
const answerMs = 15_000;

/** Simulated hosts served by another process: `sim://127.0.0.1:port/host`, one small request an operation. */
export const http: Transport = {
  connect,
  pause: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch(() => undefined);
  },
};

function connect(site: HostSite): Link {
  const options = behaviourOf(site);
  // One socket, and ours alone: the host ends our sessions when it closes, as a database server would.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port, pathname } = new URL(site.url);
  site.networks.assertAdmits(hostname);
  const { lookup } = site.networks;
  const target = { agent, hostname, port, path: pathname, method: 'POST', timeout: answerMs, lookup };
  let queue: Promise<unknown> = Promise.resolve();

  const send = (body: string): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const outgoing = request({ ...target, headers }, (incoming) => {
        const chunks: string[] = [];
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, text: chunks.join('') });
        });
      });
      outgoing.on('timeout', () => {
        outgoing.destroy(new Error(`no answer within ${String(answerMs)} ms`));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const ask = async <K extends Kind>(kind: K, input: Inputs[K]): Promise<Outputs[K]> => {
    const body = JSON.stringify({ password: site.password, options, kind, input });
    const { status, text } = await send(body).catch((error: unknown) => {
      throw error instanceof StepFailure ? error : unreachable(site, error);
    });
    const answer: unknown = JSON.parse(text);
    if (status === 200) return parseOutput(kind, answer);
    if (status === 409) throw failureOf(site, refusalSchema.parse(answer));
    throw new Error(
      `${site.host} answered ${String(status)}: ${z.string().catch('').parse(text).slice(0, 300)}`,
    );
  };

  return {
    async ask(kind, input) {
      const turn = queue.then(() => ask(kind, input));
      queue = turn.catch(() => undefined);
      return await turn;
    },
    close() {
      agent.destroy();
      return Promise.resolve();
    },
  };
}
