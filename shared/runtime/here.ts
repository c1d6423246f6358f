import { AsyncLocalStorage } from 'node:async_hooks';
import type { TracePlace } from '../domain/trace.ts';

/** Where in traces a piece of work stands; several are done side by side in one process. */
interface Spot {
  readonly place?: TracePlace;
  /** Where those were who have sent what is worked on, and that no span has been linked to yet. */
  readonly senders: readonly TracePlace[];
  /** How many of its parts were told. */
  parts: number;
}

const spots = new AsyncLocalStorage<Spot>();

export const spotNow = (): Spot | undefined => spots.getStore();

export async function at<T>(spot: Omit<Spot, 'parts'>, work: (spot: Spot) => Promise<T>): Promise<T> {
  const begun = { ...spot, parts: 0 };
  return spots.run(begun, async () => work(begun));
}

/** Works on what others have sent: until it is known what that is about, it is told as theirs. */
export const receiving = async <T>(senders: readonly TracePlace[], work: () => Promise<T>): Promise<T> =>
  at({ senders }, work);

/** Where the work stands that is being done. */
export function here(): TracePlace | undefined {
  const spot = spots.getStore();
  return spot?.place ?? spot?.senders[0];
}
