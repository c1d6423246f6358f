import { SessionLost, StepFailure, TokenSuperseded } from '../../domain/failure.ts';
import type { MoveContext } from './context.ts';

/** Of a server that has not answered a statement for so long while writers wait, nothing more is expected. */
const silenceMs = 3500;

/** A takeover ends our sessions: what looks like a lost connection then is the loss of the token. */
export async function held<T>({ source, target }: MoveContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isLoss(error) && ((await source.isSuperseded()) || (await target.isSuperseded()))) {
      throw new TokenSuperseded('a newer worker has taken over', { cause: error });
    }
    throw error;
  }
}

/** Writers wait: a host that falls silent must not keep them longer than it takes to be sure of it. */
export async function hurried<T>(context: MoveContext, work: () => Promise<T>): Promise<T> {
  const { source, target, isOffline } = context;
  // An offline copy is made in the freeze: its statements take as long as they need.
  const answerMs = isOffline ? undefined : silenceMs;
  source.answerMs = answerMs;
  target.answerMs = answerMs;
  try {
    return await held(context, work);
  } finally {
    source.answerMs = undefined;
    target.answerMs = undefined;
  }
}

function isLoss(error: unknown): boolean {
  if (error instanceof SessionLost) return true;
  return error instanceof StepFailure && /^(connection-lost|session-terminated)$/.test(error.failure.code);
}
