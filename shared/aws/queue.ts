import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Chance, Clock } from '../ports/clock.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { gather } from './gather.ts';
import { pauseAfter, type Patience } from './patience.ts';
import { asPortError } from './trouble.ts';

export interface QueueOptions {
  readonly client: SQSClient;
  readonly url: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly patience: Patience;
  readonly lanes: number;
}

interface Outgoing {
  readonly body: string;
  readonly delaySeconds: number;
}

const messagesPerCall = 10;
/** SQS delays no message for longer: who gets one early looks at the row and sends it on. */
const longestDelaySeconds = 900;

/** Sends messages to one queue, those of one moment in one call. @throws StoreUnavailable */
export function createSender(options: QueueOptions): (body: string, afterMs: number) => Promise<void> {
  const { client, url, patience } = options;
  const send = gather<Outgoing, 'sent' | 'again'>({ limit: messagesPerCall, lanes: options.lanes, perform });

  return async (body, afterMs) => {
    const delaySeconds = Math.min(longestDelaySeconds, Math.max(0, Math.ceil(afterMs / 1_000)));
    for (let nth = 1; ; nth += 1) {
      let answer: 'sent' | 'again';
      try {
        answer = await send({ body, delaySeconds });
      } catch (error) {
        throw asPortError(error, 'the queue');
      }
      if (answer === 'sent') return;
      if (nth >= patience.tries) throw new StoreUnavailable(`the queue ${url} did not take a message`);
      await pauseAfter(nth, patience, options);
    }
  };

  async function perform(messages: readonly Outgoing[]): Promise<readonly ('sent' | 'again')[]> {
    const [only] = messages;
    if (only !== undefined && messages.length === 1) {
      await client.send(
        new SendMessageCommand({ QueueUrl: url, MessageBody: only.body, DelaySeconds: only.delaySeconds }),
      );
      return ['sent'];
    }
    const { Successful } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: messages.map(({ body, delaySeconds }, index) => ({
          Id: String(index),
          MessageBody: body,
          DelaySeconds: delaySeconds,
        })),
      }),
    );
    const sent = new Set(Successful?.map(({ Id }) => Id));
    return messages.map((_, index) => (sent.has(String(index)) ? 'sent' : 'again'));
  }
}
