import { batchAnswer } from '../../shared/contracts/api/batches.ts';
import { endpointAnswer } from '../../shared/contracts/api/endpoints.ts';
import { fleetAnswer } from '../../shared/contracts/api/fleet.ts';
import { hostAnswer } from '../../shared/contracts/api/hosts.ts';
import { moveAnswer } from '../../shared/contracts/api/moves.ts';
import { requestAnswer } from '../../shared/contracts/api/requests.ts';
import { batchOf, fleetOf, hostOf, moveOf } from '../../shared/contracts/api/told.ts';
import type { Keys, RecordKind, Records, Store } from '../../shared/ports/store.ts';
import type { ApiCaller } from './caller.ts';
import { cannot, refusing } from './cannot.ts';
import { placementOf, requestOf } from './rows.ts';

type Loaders = {
  readonly [K in RecordKind]: (key: Keys[K]) => Promise<Records[K] | undefined>;
};

/** Rows as the status API tells them: those that it has no route for, and all writing, it refuses. */
export function createApiStore(caller: ApiCaller): Store {
  const loaders: Loaders = {
    host: async ({ name }) => mapped(await caller.find(`/hosts/${name}`, hostAnswer), hostOf),
    endpoint: async ({ endpoint }) =>
      mapped(await caller.find(`/endpoints/${endpoint}`, endpointAnswer), placementOf),
    batch: async ({ id }) => mapped(await caller.find(`/batches/${id}`, batchAnswer), batchOf),
    move: async ({ id }) => mapped(await caller.find(`/moves/${id}`, moveAnswer), moveOf),
    request: async ({ id }) =>
      mapped(await caller.find(`/requests/${encodeURIComponent(id)}`, requestAnswer), requestOf),
    fleet: async () => mapped(await caller.find('/fleet', fleetAnswer), fleetOf),
    // How many may begin in this minute is not told: of what waits for that, the permits are named.
    pace: async () => undefined,
    cleanup: refusing('list of what is left to clean up'),
    letter: refusing('bodies of dead letters'),
    news: refusing('list of what people were told'),
    scaler: refusing('rows of the autoscaler'),
  };
  const load = <K extends RecordKind>(kind: K, key: Keys[K]): Promise<Records[K] | undefined> =>
    loaders[kind](key);
  const write = async (): Promise<never> => {
    throw cannot('way to write rows');
  };
  return {
    load,
    loadMany: async (kind, keys) => Promise.all(keys.map(async (key) => load(kind, key))),
    insert: write,
    commit: write,
    commitAlone: write,
    remove: write,
  };
}

const mapped = <A, R>(answer: A | undefined, of: (answer: A) => R): R | undefined =>
  answer === undefined ? undefined : of(answer);
