import {
  isBatchId,
  isEndpointName,
  isHostName,
  isMoveId,
  nameRule,
  type BatchId,
  type EndpointName,
  type HostName,
  type MoveId,
} from '../shared/domain/ids.ts';
import type { Host } from '../shared/domain/host.ts';
import type { Placement } from '../shared/domain/placement.ts';
import type { Client } from './client.ts';
import { CliError, usageError } from './cli-error.ts';
import { didYouMean } from './suggest.ts';
import { everyPage } from '../shared/workflow/every-page.ts';

/** What people call things, checked, and found. */

export function asBatchId(text: string): BatchId {
  if (isBatchId(text)) return text;
  throw usageError(
    'id-invalid',
    `"${text}" is no id of a batch`,
    'it begins with bt_: look for it with dray batch list',
  );
}

export function asMoveId(text: string): MoveId {
  if (isMoveId(text)) return text;
  throw usageError(
    'id-invalid',
    `"${text}" is no id of a move`,
    'it begins with mv_: dray explain <endpoint> and dray batch show <id> name them',
  );
}

/** @throws CliError `host-unknown`, with the name that was probably meant */
export async function findHost({ store, views }: Client, name: string): Promise<Host> {
  const host = isHostName(name) ? await store.load('host', { name }) : undefined;
  if (host !== undefined) return host;
  const known = await everyPage((cursor) => views.hosts(cursor));
  throw new CliError({
    code: 'host-unknown',
    sentence: `There is no host ${name}`,
    cure: didYouMean(name, known, 'see them with dray host list, or add it with dray host add'),
  });
}

/** @throws CliError `endpoint-unknown`, with the name that was probably meant */
export async function findEndpoint({ store, views }: Client, name: string): Promise<Placement> {
  const placement = isEndpointName(name) ? await store.load('endpoint', { endpoint: name }) : undefined;
  if (placement !== undefined) return placement;
  const known = await everyPage((cursor) => views.endpoints(cursor));
  throw new CliError({
    code: 'endpoint-unknown',
    sentence: `There is no endpoint ${name}`,
    cure: didYouMean(
      name,
      known,
      'see them with dray endpoint list, or look on a host with dray endpoint discover <host>',
    ),
  });
}

/** Endpoints by name; those of a host, if one is given. @throws CliError `host-unknown` */
export async function placementsOf(client: Client, host: string | undefined): Promise<Placement[]> {
  const { store, views } = client;
  const on = host === undefined ? undefined : (await findHost(client, host)).name;
  const names = await everyPage((cursor) =>
    on === undefined ? views.endpoints(cursor) : views.endpointsOn(on, cursor),
  );
  const found = await store.loadMany(
    'endpoint',
    names.map((endpoint) => ({ endpoint })),
  );
  return found
    .flatMap((placement) =>
      placement === undefined || (on !== undefined && placement.host !== on) ? [] : [placement],
    )
    .sort((one, other) => (one.endpoint < other.endpoint ? -1 : 1));
}

export function hostCalled(name: string): HostName {
  if (isHostName(name)) return name;
  throw usageError('name-invalid', `"${name}" is no name of a host`, `a name ${nameRule}`);
}

export function endpointCalled(name: string): EndpointName {
  if (isEndpointName(name)) return name;
  throw usageError('name-invalid', `"${name}" is no name of an endpoint`, `a name ${nameRule}`);
}
