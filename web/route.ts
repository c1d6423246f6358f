import { isBatchId, isEndpointName, isHostName, isMoveId } from '../shared/domain/ids.ts';
import type { BatchId, EndpointName, HostName, MoveId } from '../shared/domain/ids.ts';

/** What is looked at; it stands behind the `#` of the address, so that any server of files will do. */
export type Route =
  | { readonly view: 'fleet' }
  | { readonly view: 'batches' }
  | { readonly view: 'alarms' }
  | { readonly view: 'batch'; readonly id: BatchId }
  | { readonly view: 'move'; readonly id: MoveId }
  | { readonly view: 'host'; readonly name: HostName }
  | { readonly view: 'endpoint'; readonly name: EndpointName }
  | { readonly view: 'nowhere'; readonly path: string };

/** @param hash `#/batches/bt_…`, as the browser has it */
export function routeOf(hash: string): Route {
  const path = hash.replace(/^#\/?/, '');
  const [kind = '', encoded = '', ...more] = path.split('/');
  const id = decoded(encoded);
  if (more.length > 0) return { view: 'nowhere', path };
  if (path === '') return { view: 'fleet' };
  if (kind === 'batches' && encoded === '') return { view: 'batches' };
  if (kind === 'alarms' && encoded === '') return { view: 'alarms' };
  if (kind === 'batches' && isBatchId(id)) return { view: 'batch', id };
  if (kind === 'moves' && isMoveId(id)) return { view: 'move', id };
  if (kind === 'hosts' && isHostName(id)) return { view: 'host', name: id };
  if (kind === 'endpoints' && isEndpointName(id)) return { view: 'endpoint', name: id };
  return { view: 'nowhere', path };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const linkTo = {
  fleet: '#/',
  batches: '#/batches',
  alarms: '#/alarms',
  batch: (id: string): string => `#/batches/${id}`,
  move: (id: string): string => `#/moves/${id}`,
  host: (name: string): string => `#/hosts/${encodeURIComponent(name)}`,
  endpoint: (name: string): string => `#/endpoints/${encodeURIComponent(name)}`,
};

/** Where somebody wants to go who has typed this; undefined: it is no name of anything. */
export function linkFor(text: string): string | undefined {
  if (isBatchId(text)) return linkTo.batch(text);
  if (isMoveId(text)) return linkTo.move(text);
  return isEndpointName(text) ? linkTo.endpoint(text) : undefined;
}
