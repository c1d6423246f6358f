import type * as z from 'zod';
import { requestAnswer } from '../../shared/contracts/api/requests.ts';
import type { Api } from '../api/api.ts';
import { isUnknown, Unanswered } from '../api/trouble.ts';

/** What has become of a request. */
export type Outcome = Pick<z.output<typeof requestAnswer>, 'request' | 'state'> &
  Partial<Pick<z.output<typeof requestAnswer>, 'batch' | 'code' | 'sentence' | 'cure'>>;

/** Waits between two looks, in milliseconds: about half a minute in all. */
const looks = [300, 400, 500, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 6_000, 6_000];

/**
 * Asks for a command to be carried out, and waits for what becomes of it.
 * @returns with state `waiting` when nobody has looked at it for half a minute
 * @throws Unanswered
 */
export async function carryOut(api: Api, path: string, id: string, reason: string): Promise<Outcome> {
  await api.post(path, id, { reason });
  for (const ms of looks) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    const outcome = await look(api, id);
    if (outcome.state !== 'waiting') return outcome;
  }
  return { request: id, state: 'waiting' };
}

async function look(api: Api, id: string): Promise<Outcome> {
  try {
    return await api.get(`/requests/${encodeURIComponent(id)}`, requestAnswer);
  } catch (error) {
    // It has been put down: whether it can be read just now changes nothing.
    if (
      error instanceof Unanswered &&
      (error.trouble.status === undefined || isUnknown(error.trouble) || error.trouble.status >= 429)
    )
      return { request: id, state: 'waiting' };
    throw error;
  }
}
