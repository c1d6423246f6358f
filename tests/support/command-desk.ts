import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { dispatchMessage, planMessage } from '../../shared/contracts/messages.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { planOrUndo } from '../../shared/workflow/planning/plan-or-undo.ts';
import { acceptRequest } from '../../shared/workflow/requests/accept-request.ts';
import type { MoveBench } from './move-bench.ts';

const soon = { remainingMs: () => 60_000 };

/** Publishes commands and requests to a bench, and lets planner and dispatcher do what follows. */
export class CommandDesk {
  readonly #bench: MoveBench;
  #count = 0;

  constructor(bench: MoveBench) {
    this.#bench = bench;
  }

  /** @returns what became of it */
  async command(data: object, source = '/ops'): Promise<RequestRecord['outcome']> {
    return this.publish('command.requested', { reason: 'test', ...data }, source);
  }

  async publish(type: string, data: object, source = '/ops'): Promise<RequestRecord['outcome']> {
    const { services } = this.#bench;
    this.#count += 1;
    const id = String(this.#count);
    await this.deliver(JSON.stringify({ specversion: '1.0', id, source, type, data }));
    const row = await services.store.load('request', { source, id });
    if (row === undefined) throw new Error('the request left no row');
    return row.outcome;
  }

  /** Delivers the text of an event. */
  async deliver(text: string): Promise<void> {
    const { services, clock } = this.#bench;
    await acceptRequest(services, parseRequest(text, clock.now()));
  }

  /** Plans, turns round and dispatches until nothing of that is left to do; work on moves stays where it is. */
  async settle(): Promise<void> {
    const { bus, services } = this.#bench;
    for (;;) {
      const at = bus.sent.findIndex(({ queue }) => queue === 'plan' || queue === 'dispatch');
      const [message] = at < 0 ? [] : bus.sent.splice(at, 1);
      if (message === undefined) return;
      const body: unknown = JSON.parse(message.text);
      if (message.queue === 'plan') await planOrUndo(services, planMessage.parse(body), soon);
      else await dispatchMoves(services, [dispatchMessage.parse(body)], soon);
    }
  }
}
