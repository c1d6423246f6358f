import type * as z from 'zod';
import { fleetAnswer, scalingAnswer } from '../../shared/contracts/api/fleet.ts';
import { hostInList } from '../../shared/contracts/api/hosts.ts';
import { letterAnswer } from '../../shared/contracts/api/letters.ts';
import type { Source } from '../api/feed.ts';

export type ListedHost = z.output<typeof hostInList>;
export type ScalingTarget = z.output<typeof scalingAnswer>;
export type DeadLetter = z.output<typeof letterAnswer>;
export type FleetRow = z.output<typeof fleetAnswer>;

/** What hurts, what waits for a person, and what the autoscaler makes of it, as it was at one moment. */
export interface AlarmsNow {
  readonly hosts: readonly ListedHost[];
  readonly targets: readonly ScalingTarget[];
  /** Those that failed last first. */
  readonly letters: readonly DeadLetter[];
  readonly fleet: FleetRow;
}

const everyMs = 5_000;
/** More are not read. */
export const mostLetters = 500;

export const alarmsSource: Source<AlarmsNow> = {
  everyMs: () => everyMs,
  read: async (api) => {
    const [hosts, targets, letters, fleet] = await Promise.all([
      api.list('/hosts', 'hosts', hostInList),
      api.list('/scaling', 'targets', scalingAnswer),
      api.list('/dead-letters', 'letters', letterAnswer, {}, mostLetters),
      api.get('/fleet', fleetAnswer),
    ]);
    return {
      ...{ hosts, targets, fleet },
      letters: letters.toSorted((one, other) => other.failedAt - one.failedAt),
    };
  },
};
