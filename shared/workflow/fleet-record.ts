import { freshFleet, type Fleet } from '../domain/fleet.ts';
import type { Services } from './services.ts';

/** What is set for the whole installation; the defaults where nothing was ever set. */
export async function readFleet({ store }: Pick<Services, 'store'>): Promise<Fleet> {
  return (await store.load('fleet', {})) ?? freshFleet;
}

/**
 * Changes what is set for the whole installation, on what stands there now.
 * @param edit answers with what was given to it when nothing is to be changed
 * @returns as it stands then
 */
export async function changeFleet(
  { store }: Pick<Services, 'store'>,
  edit: (fleet: Fleet) => Fleet,
): Promise<Fleet> {
  for (;;) {
    const held = await store.load('fleet', {});
    const before = held ?? freshFleet;
    const after = edit(before);
    if (after === before) return before;
    if (held === undefined) {
      if ((await store.insert('fleet', after)) === 'inserted') return { ...after, version: 1 };
    } else {
      const answer = await store.commit('fleet', held, after);
      if (answer.kind === 'committed') return answer.record;
    }
  }
}
