import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { eventOf } from '../contracts/api/posting.ts';
import { writeMessage } from '../contracts/messages.ts';
import type { TracePlace } from '../domain/trace.ts';
import type { Bus } from '../ports/bus.ts';
import type { Chance, Clock } from '../ports/clock.ts';
import { defaultPatience, type Patience } from './patience.ts';
import { createSender } from './queue.ts';
import { createPublisher, eventMessage, newsMessage } from './topic.ts';

export interface BusOptions {
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  /** Queues by their URLs: three of ours, and one for each phase of work under the phase's name. */
  readonly queues: {
    readonly plan: string;
    readonly dispatch: string;
    readonly hostSweep: string;
    readonly [phase: string]: string;
  };
  /** The ARN of the topic that tells the world. */
  readonly announcements: string;
  /** The ARN of the topic that tells people. */
  readonly notifications: string;
  /** The ARNs of the topics on which publishers publish. */
  readonly requests: string;
  readonly hostChanges: string;
  /** The `source` of our events, e.g. `drayage/prod`. */
  readonly source: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience?: Patience;
  /** Where in a trace the work stands that is being done. */
  readonly here?: () => TracePlace | undefined;
  /** Calls to one queue at once. By default 2. */
  readonly lanes?: number;
}

/** Queues and two topics. A delay is rounded up to a second and ends at 15 minutes. */
export function createBus(options: BusOptions): Bus {
  const { sqs, sns, clock, chance } = options;
  const patience = options.patience ?? defaultPatience;
  const textOf = (message: object): string => writeMessage(message, options.here?.());
  const sender = (url: string) =>
    createSender({ client: sqs, url, clock, chance, patience, lanes: options.lanes ?? 2 });

  const { plan: planUrl, dispatch: dispatchUrl, hostSweep: hostSweepUrl, ...phases } = options.queues;
  const work = new Map(Object.entries(phases).map(([phase, url]) => [phase, sender(url)]));
  const plan = sender(planUrl);
  const dispatch = sender(dispatchUrl);
  const hostSweep = sender(hostSweepUrl);
  const publisher = (arn: string) => createPublisher({ client: sns, arn, clock, chance, patience });
  const announce = publisher(options.announcements);
  const notify = publisher(options.notifications);
  const publish = {
    requests: publisher(options.requests),
    'host-changes': publisher(options.hostChanges),
  } as const;

  return {
    async sendWork(message, afterMs) {
      const send = work.get(message.phase);
      if (send === undefined) {
        throw new RangeError(
          `no queue is configured for phase "${message.phase}"; add its URL to the work queues`,
        );
      }
      await send(textOf(message), afterMs);
    },
    sendPlan: async (message, afterMs = 0) => {
      await plan(textOf(message), afterMs);
    },
    sendDispatch: async (message, afterMs = 0) => {
      await dispatch(textOf(message), afterMs);
    },
    sendHostSweep: async (host) => {
      await hostSweep(textOf({ host }), 0);
    },
    announce: async (announcements) => {
      await announce(announcements.map((each) => eventMessage(each, options.source)));
    },
    publish: async (requests) => {
      const events = requests.flatMap(({ posted, ...request }) =>
        posted === undefined ? [] : [{ type: request.type, ...eventOf({ ...request, ...posted }) }],
      );
      for (const topic of ['requests', 'host-changes'] as const) {
        const here = events.filter((event) => event.topic === topic);
        if (here.length > 0)
          await publish[topic](here.map(({ text, type }) => ({ text, attributes: { type } })));
      }
    },
    notify: async (notifications) => {
      await notify(notifications.map((each) => newsMessage(each, options.source)));
    },
  };
}
