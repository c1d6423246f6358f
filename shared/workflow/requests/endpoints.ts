import type { ChangedWishes, RequestEvent } from '../../domain/event.ts';
import { acceptsArrivals, type Host } from '../../domain/host.ts';
import type { EndpointName } from '../../domain/ids.ts';
import type { Placement, Wishes } from '../../domain/placement.ts';
import type { Services } from '../services.ts';
import { knownHost } from './known-host.ts';
import { Refused } from './record-request.ts';

type EndpointServices = Pick<Services, 'store' | 'clock'>;
type EventOf<K extends RequestEvent['kind']> = Extract<RequestEvent, { readonly kind: K }>;

/** @throws Refused `host-unknown`, `endpoint-exists`, or for a pin that cannot be kept */
export async function registerEndpoint(
  services: EndpointServices,
  event: EventOf<'register-endpoint'>,
): Promise<void> {
  const host = await knownHost(services, event.host, 'data.host');
  const { endpoint, database, wishes } = event;
  const held = await services.store.load('endpoint', { endpoint });
  if (held === undefined) {
    await checkPin(services, { ...wishes, driver: host.driver });
    const inserted = await services.store.insert('endpoint', {
      endpoint,
      driver: host.driver,
      host: host.name,
      database,
      epoch: 1,
      arbitration: { kind: 'serving' },
      claims: 0,
      announcedEpoch: 1,
      ...wishes,
      registeredAt: services.clock.now(),
      version: 1,
    });
    if (inserted === 'inserted') return;
  }
  const found = held ?? (await services.store.load('endpoint', { endpoint }));
  if (found === undefined || (found.host === host.name && found.database === database)) return;
  throw new Refused({
    code: 'endpoint-exists',
    field: 'data.name',
    sentence: `${endpoint} is registered already: database ${found.database} on ${found.host}`,
    cure: 'choose another name; to change where it is, move it',
  });
}

/**
 * Changes what people wish of an endpoint. Wishes are ordered by the publisher's sequence, each by itself: a change
 * that arrives late changes what nobody has changed since, and one that has nothing left to change is told so.
 *
 * @throws Refused `endpoint-unknown`, `change-superseded`, or for a pin that cannot be kept
 */
export async function changeEndpoint(
  services: EndpointServices,
  { endpoint, wishes, sequence }: EventOf<'change-endpoint'>,
): Promise<void> {
  const { store } = services;
  for (;;) {
    const placement = await store.load('endpoint', { endpoint });
    if (placement === undefined) throw unknownEndpoint(endpoint, 'data.name');
    const changed = withWishes(placement, wishes, sequence);
    if (changed === 'superseded') {
      throw new Refused({
        code: 'change-superseded',
        field: 'data.sequence',
        sentence: `all that this says of ${endpoint} has been said anew since`,
        cure: 'publish with a higher sequence if this is what is wanted now',
      });
    }
    // Only what is said now is looked at: a pin from before may have lost its host meanwhile.
    if (changed.pin !== undefined && (wishes.pin !== undefined || wishes.zones !== undefined)) {
      await checkPin(services, changed);
    }
    if ((await store.commit('endpoint', placement, changed)).kind === 'committed') return;
  }
}

function withWishes(placement: Placement, wishes: ChangedWishes, sequence: number): Placement | 'superseded' {
  const isNewest = (name: keyof Wishes): boolean => (placement.sequences?.[name] ?? -1) <= sequence;
  const { labels, sizeBytes, group, zones, pin } = wishes;
  const said = wishNames.filter((name) => wishes[name] !== undefined && isNewest(name));
  if (said.length === 0) return 'superseded';
  const sequences = { ...placement.sequences, ...Object.fromEntries(said.map((name) => [name, sequence])) };
  const { group: oldGroup, zones: oldZones, pin: oldPin, ...rest } = placement;
  const wish = <T>(name: keyof Wishes, to: T | null | undefined, from: T | undefined): T | undefined =>
    to === undefined || !isNewest(name) ? from : (to ?? undefined);
  const next = {
    group: wish('group', group, oldGroup),
    zones: wish('zones', zones, oldZones),
    pin: wish('pin', pin, oldPin),
  };
  return {
    ...rest,
    labels: wish('labels', labels, rest.labels) ?? rest.labels,
    sizeBytes: wish('sizeBytes', sizeBytes, rest.sizeBytes) ?? rest.sizeBytes,
    ...(next.group === undefined ? {} : { group: next.group }),
    ...(next.zones === undefined ? {} : { zones: next.zones }),
    ...(next.pin === undefined ? {} : { pin: next.pin }),
    sequences,
  };
}

const wishNames = [
  'labels',
  'sizeBytes',
  'group',
  'zones',
  'pin',
] as const satisfies readonly (keyof Wishes)[];

/** A pin that could never be kept is refused now, and not found out when the host is emptied. */
async function checkPin(
  services: EndpointServices,
  { pin, zones, driver }: Pick<Placement, 'driver'> & Pick<Wishes, 'pin' | 'zones'>,
): Promise<void> {
  if (pin === undefined) return;
  const host = await knownHost(services, pin, 'data.pin');
  const why = faultOfPin(host, driver, zones);
  if (why === undefined) return;
  throw new Refused({
    code: 'pin-impossible',
    field: 'data.pin',
    sentence: `an endpoint cannot be pinned to ${pin}: ${why}`,
    cure: `pin it to another host, or make ${pin} fit first (dray host uncordon ${pin})`,
  });
}

function faultOfPin(host: Host, driver: string, zones: readonly string[] | undefined): string | undefined {
  if (host.driver !== driver) return `it is of another engine (${host.driver})`;
  if (zones !== undefined && !zones.includes(host.zone))
    return `it stands in zone ${host.zone}, and the endpoint may only be in ${zones.join(', ')}`;
  if (acceptsArrivals(host)) return undefined;
  return host.intent.value === 'active' ? 'it has failed' : `it is ${host.intent.value}`;
}

export function unknownEndpoint(endpoint: EndpointName, field: string): Refused {
  return new Refused({
    code: 'endpoint-unknown',
    field,
    sentence: `there is no endpoint ${endpoint}`,
    cure: `look for its name with dray endpoint discover <host>, or register it: dray endpoint add ${endpoint} --host … --database …`,
  });
}
