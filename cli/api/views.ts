import { batchInList } from '../../shared/contracts/api/batches.ts';
import { endpointOnHost } from '../../shared/contracts/api/endpoints.ts';
import { hostInList } from '../../shared/contracts/api/hosts.ts';
import { historyAnswer, moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { batchId, endpointName, hostName, moveId, type HostName } from '../../shared/domain/ids.ts';
import type { Page, Views } from '../../shared/ports/store.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import type { ApiCaller } from './caller.ts';
import { refusing } from './cannot.ts';
import { entryOf } from './rows.ts';

/** Lists as the status API has them: those that it has no route for it refuses. */
export function createApiViews(caller: ApiCaller): Views {
  const hosts = async (cursor?: string): Promise<Page<HostName>> =>
    mapped(await caller.page('/hosts', 'hosts', hostInList, { cursor }), ({ host }) => hostName(host));
  const placedOn = async (host: HostName, cursor?: string) =>
    caller.page(`/hosts/${host}/endpoints`, 'endpoints', endpointOnHost, { cursor });
  const endpointsOn: Views['endpointsOn'] = async (host, cursor) =>
    mapped(await placedOn(host, cursor), ({ endpoint }) => endpointName(endpoint));
  return {
    hosts,
    endpointsOn,
    sizesOn: async (host, cursor) => mapped(await placedOn(host, cursor), ({ sizeBytes }) => sizeBytes),
    /** Host by host: one that travels meanwhile may be on two of them. */
    endpoints: async () => {
      const names = await Promise.all(
        (await everyPage(hosts)).map(async (host) => everyPage((cursor) => endpointsOn(host, cursor))),
      );
      return { items: [...new Set(names.flat())] };
    },
    batches: async (cursor) =>
      mapped(await caller.page('/batches', 'batches', batchInList, { cursor }), ({ batch }) =>
        batchId(batch),
      ),
    movesOf: async (batch, label, cursor) =>
      mapped(
        await caller.page(`/batches/${batch}/moves`, 'moves', moveOfBatch, {
          cursor,
          ...(label === undefined ? {} : { query: { state: label } }),
        }),
        ({ move, state }) => ({ id: moveId(move), label: state }),
      ),
    // The API goes on from hour to hour: see the client.
    movesAt: refusing('list of the moves of one hour'),
    history: async (move, cursor) =>
      mapped(await caller.page(`/moves/${move}/history`, 'history', historyAnswer, { cursor }), (entry) =>
        entryOf(move, entry),
      ),
    refusalsAt: refusing('list of refusals'),
    lettersAt: refusing('list of what was done with dead letters'),
    notificationsAt: refusing('list of what people were told'),
    scalers: refusing('rows of the autoscaler'),
    waiting: refusing('line of those that wait'),
    due: refusing('list of what is due'),
    cleanupsOn: refusing('list of what is left to clean up'),
  };
}

const mapped = <A, T>({ items, ...rest }: Page<A>, of: (item: A) => T): Page<T> => ({
  ...rest,
  items: items.map(of),
});
