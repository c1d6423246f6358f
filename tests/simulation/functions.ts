import {
  dispatchMessage,
  hostSweepMessage,
  planMessage,
  workMessage,
} from '../../shared/contracts/messages.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { dispatchMoves } from '../../shared/workflow/dispatch-moves.ts';
import { planOrUndo } from '../../shared/workflow/planning/plan-or-undo.ts';
import { acceptRequest } from '../../shared/workflow/requests/accept-request.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';
import type { Invocation, Services } from '../../shared/workflow/services.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { workOnMove } from '../../shared/workflow/work-on-move.ts';

/** Queues by the names that the bus in memory gives them, and those that topics feed. */
export const queueNames = [
  'requests',
  'host-changes',
  'plan',
  'dispatch',
  'transfer',
  'cutover',
  'retire',
  'rollback',
  'host-sweep',
] as const;
export type QueueName = (typeof queueNames)[number];
export const isQueueName = (name: string): name is QueueName => queueNames.some((each) => each === name);

/** A queue's function has the queue's name; the others are the stream's and the schedule's. */
export type FunctionName = QueueName | 'relay' | 'sweep-rows' | 'sweep-hosts';

/** How a function is deployed, scaled down as in the stage of a laptop. */
export interface Deployment {
  readonly timeoutMs: number;
  /** An invocation stops at a safe point this long before its end. */
  readonly marginMs: number;
  /** Messages that one invocation takes at most. */
  readonly batchSize: number;
}

export const deployments: { readonly [F in FunctionName]: Deployment } = {
  requests: { timeoutMs: 15_000, marginMs: 0, batchSize: 3 },
  'host-changes': { timeoutMs: 20_000, marginMs: 0, batchSize: 3 },
  plan: { timeoutMs: 20_000, marginMs: 2_000, batchSize: 1 },
  dispatch: { timeoutMs: 15_000, marginMs: 2_000, batchSize: 5 },
  transfer: { timeoutMs: 20_000, marginMs: 2_000, batchSize: 4 },
  cutover: { timeoutMs: 15_000, marginMs: 2_000, batchSize: 3 },
  retire: { timeoutMs: 15_000, marginMs: 2_000, batchSize: 3 },
  rollback: { timeoutMs: 20_000, marginMs: 2_000, batchSize: 3 },
  'host-sweep': { timeoutMs: 30_000, marginMs: 2_000, batchSize: 1 },
  relay: { timeoutMs: 15_000, marginMs: 0, batchSize: 20 },
  'sweep-rows': { timeoutMs: 55_000, marginMs: 4_000, batchSize: 1 },
  'sweep-hosts': { timeoutMs: 30_000, marginMs: 0, batchSize: 1 },
};

export interface Delivery {
  readonly text: string;
  /** When the queue took it in, epoch milliseconds. */
  readonly sentAt: number;
}

type Handler = (services: Services, delivery: Delivery, invocation: Invocation) => Promise<void>;

const onMove: Handler = async (services, { text }, invocation) => {
  await workOnMove(services, workMessage.parse(JSON.parse(text)), invocation);
};

/** What each function does with one message: what its handler does, below the middleware. */
const handlers: { readonly [Q in Exclude<QueueName, 'dispatch'>]: Handler } = {
  requests: (services, { text, sentAt }) => acceptRequest(services, parseRequest(text, sentAt)),
  'host-changes': (services, { text, sentAt }) => reactToHostChange(services, parseHostChange(text, sentAt)),
  plan: (services, { text }, invocation) =>
    planOrUndo(services, planMessage.parse(JSON.parse(text)), invocation),
  transfer: onMove,
  cutover: onMove,
  retire: onMove,
  rollback: onMove,
  'host-sweep': (services, { text }) => sweepHost(services, hostSweepMessage.parse(JSON.parse(text)).host),
};

/** Handles messages of one queue, each by itself. @returns those that are to be delivered again */
export async function handle<D extends Delivery>(
  queue: QueueName,
  services: Services,
  deliveries: readonly D[],
  invocation: Invocation,
): Promise<readonly D[]> {
  if (queue === 'dispatch') {
    const messages = deliveries.map(({ text }) => dispatchMessage.parse(JSON.parse(text)));
    return await dispatchMoves(services, messages, invocation).then(
      () => [],
      () => deliveries,
    );
  }
  const outcomes = await Promise.allSettled(
    deliveries.map((delivery) => handlers[queue](services, delivery, invocation)),
  );
  return deliveries.filter((_, index) => outcomes[index]?.status === 'rejected');
}
