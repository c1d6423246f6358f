import { StepFailure, type Failure } from '../domain/failure.ts';
import type { Letter } from '../domain/letter.ts';
import { RowUnreadable, StoreUnavailable } from '../ports/failures.ts';
import type { Services } from './services.ts';

/** A message that a function failed on. */
export type FailedMessage = Pick<Letter, 'message' | 'queue' | 'receives' | 'setAside'>;

/** The same error so often is no accident. */
const poisonousFrom = 3;

/**
 * Keeps why a message failed, under the message's id: the queue that it is set aside in at last does not know it.
 * @returns the failure, once the message has failed with the same so often that one more try would end no better
 * @throws StoreUnavailable
 */
export async function noteFailure(
  { store, clock }: Pick<Services, 'store' | 'clock'>,
  failed: FailedMessage,
  error: unknown,
): Promise<Failure | undefined> {
  const news = { ...failed, failure: failureOf(error), at: clock.now() };
  const { message } = failed;
  for (;;) {
    const held = await store.load('letter', { message });
    if (held === undefined) {
      if ((await store.insert('letter', { ...news, version: 1 })) === 'inserted') return undefined;
    } else if ((await store.commit('letter', held, withAnother(held, news))).kind === 'committed') {
      return failed.receives >= poisonousFrom && isSame(held.failure, news.failure)
        ? news.failure
        : undefined;
    }
  }
}

/** A slow attempt may end after a later one: it was not the last. */
const withAnother = (held: Letter, news: Omit<Letter, 'version'>): Letter => ({
  ...held,
  ...news,
  receives: Math.max(held.receives, news.receives),
});

/** An outage passes, however often it is met. */
const isSame = (one: Failure | undefined, other: Failure): boolean =>
  other.code !== 'store-unavailable' && one?.code === other.code && one.sentence === other.sentence;

function failureOf(error: unknown): Failure {
  if (error instanceof StepFailure) return error.failure;
  if (error instanceof StoreUnavailable) {
    return {
      code: 'store-unavailable',
      sentence: error.message.slice(0, 300),
      cure: 'put it back once table, queues and bucket answer again',
    };
  }
  if (error instanceof RowUnreadable) {
    return {
      code: error.code,
      sentence: error.message.slice(0, 300),
      cure: 'deploy the version that wrote the row, or repair the attribute; then put the message back',
    };
  }
  return {
    code: 'unexpected',
    sentence:
      error instanceof Error
        ? `${error.name}: ${error.message}`.slice(0, 300)
        : 'an unknown value was thrown',
    cure: "see the function's log; please report it as a defect",
  };
}
