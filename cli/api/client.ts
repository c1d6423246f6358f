import * as z from 'zod';
import { explanationAnswer } from '../../shared/contracts/api/explanations.ts';
import { moveInHour } from '../../shared/contracts/api/moves.ts';
import { moveId } from '../../shared/domain/ids.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { usageError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import type { ApiAccess } from '../installation.ts';
import { createApiCaller } from './caller.ts';
import { cannot, refusing } from './cannot.ts';
import { routeOf } from './route-of.ts';
import { explanationOf } from './rows.ts';
import { createApiStore } from './store.ts';
import { createApiViews } from './views.ts';

const event = z.object({ type: z.string(), data: z.record(z.string(), z.json()) });

/** The same for verbs as an installation's client, by the status API alone: with a key, and no AWS credentials. */
export function createApiClient(access: ApiAccess): Client {
  const clock = machineClock;
  const caller = createApiCaller(access, clock);
  return {
    get installation(): never {
      throw cannot('names of the parts of an installation');
    },
    store: createApiStore(caller),
    views: createApiViews(caller),
    journal: { append: refusing('way to write history'), count: refusing('way to write figures') },
    blobs: {
      put: refusing('place for what is too long for a request'),
      get: refusing('way to what is too long for a row'),
    },
    manifests: { bucket: '', put: refusing('bucket for manifests') },
    secrets: { fetch: refusing('passwords') },
    vault: { keep: refusing('place for passwords') },
    deadLetters: {
      counts: refusing('way to the queues'),
      take: refusing('way to the queues'),
      release: refusing('way to the queues'),
      putBack: refusing('way to the queues'),
      discard: refusing('way to the queues'),
    },
    clock,
    calendar: machineCalendar,
    chance: machineChance,
    settings: { hostNetworks: anyNetwork },
    driver: refusing('way to hosts'),
    async explain(kind, id) {
      const answer = await caller.find(`/${kind}/${id}/explanation`, explanationAnswer);
      return answer === undefined ? undefined : explanationOf(answer);
    },
    async movesSince(ms) {
      const since = new Date(clock.now() - ms).toISOString().slice(0, 13);
      const found = await everyPage((cursor) =>
        caller.page('/moves', 'moves', moveInHour, { cursor, query: { since } }),
      );
      return found.map(({ move }) => moveId(move)).toReversed();
    },
    /** Its source is the key, and its time that of its receipt. */
    async publish(_, { id, source, type }, text) {
      const parsed = event.safeParse(JSON.parse(text));
      const route = parsed.success ? routeOf(parsed.data.type, parsed.data.data) : undefined;
      if (route === undefined)
        throw cannot(`route for ${type === 'command.requested' ? 'this command' : type}`);
      if (route.body['reason'] === undefined)
        throw usageError(
          'reason-missing',
          'By the API nothing is said of a host without a reason',
          'say why: --reason …',
        );
      const refusal = await caller.post(route.path, id, route.body);
      return refusal === undefined ? { source, id } : { refusal };
    },
    close: () => undefined,
  };
}
