import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { otlpBody, type SpanOrigin } from './otlp.ts';
import type { FinishedSpan, SpanSink } from './tracer.ts';

interface SenderOptions {
  /** The base address of a collector: it takes OTLP below it, at `/v1/traces`. */
  readonly endpoint: string;
  readonly origin: SpanOrigin;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Log, 'warn'>;
}

/** A collector that has not answered by then has not taken them. */
const patienceMs = 2_000;
/** One that has not is left alone for so long: what comes meanwhile is lost. */
const restMs = 30_000;
/** Sent together at the latest, … */
const mostAtOnce = 256;
/** … or when the first of them is so old and another one comes. */
const heldMs = 5_000;

/**
 * Sends spans to a collector as OTLP over HTTP. What cannot be sent is lost and said once: nobody's work waits for more
 * than two seconds for it, and that only when it is done.
 */
export function createSpanSender({ endpoint, origin, clock, log }: SenderOptions): SpanSink {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  let held: FinishedSpan[] = [];
  let heldSince = 0;
  let restsUntil = 0;
  let lost = 0;
  let sending: Promise<void> = Promise.resolve();

  function send(): void {
    const spans = held;
    held = [];
    if (spans.length > 0) sending = sending.then(() => post(spans));
  }

  async function post(spans: readonly FinishedSpan[]): Promise<void> {
    if (clock.now() < restsUntil) {
      lost += spans.length;
      return;
    }
    try {
      await postOrAgain(otlpBody(spans, origin));
    } catch (error) {
      lost += spans.length;
      restsUntil = clock.now() + restMs;
      log.warn('spans could not be sent, and are lost', { url, lost, restMs, error: String(error) });
    }
  }

  async function postOrAgain(body: string): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    const once = async (): Promise<Response> =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
    // A connection from before the environment was frozen breaks at its first use.
    const answer = await once().catch(async (error: unknown) => {
      if (signal.aborted) throw error;
      return once();
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the collector answers ${String(answer.status)}`);
  }

  return {
    take(span) {
      const now = clock.now();
      if (held.length === 0) heldSince = now;
      held.push(span);
      if (held.length >= mostAtOnce || now - heldSince >= heldMs) send();
    },
    async flush() {
      send();
      await sending;
    },
  };
}
