import type { Selection } from '../../domain/batch.ts';
import type { Parsed, RequestEvent } from '../../domain/event.ts';
import { acceptsArrivals } from '../../domain/host.ts';
import type { EndpointName, HostName } from '../../domain/ids.ts';
import type { Services } from '../services.ts';
import { openBatch } from './open-batch.ts';
import { recordRefusal, recordRequest, Refused } from './record-request.ts';

type AcceptServices = Pick<Services, 'store' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log'>;

/** Requested moves go before rebalancing and after drains. */
const priority = 50;

/** Takes one event of the `requests` topic: what can be seen to be wrong is refused before anything begins. */
export async function acceptRequest(services: AcceptServices, parsed: Parsed<RequestEvent>): Promise<void> {
  if (parsed.kind === 'refused') {
    if (parsed.head === undefined) services.log.warn('event refused', { ...parsed.refusal });
    else await recordRefusal(services, parsed.head, parsed.refusal);
    return;
  }
  const { head, event } = parsed;
  await recordRequest(services, head, async () => {
    switch (event.kind) {
      case 'move-batch': {
        const { reason, policy, selection } = event;
        if (selection.kind === 'value') await checkSelection(services, selection.selection);
        const order = { reason, policy, priority };
        const chosen = selection.kind === 'value' ? selection.selection : selection.check;
        return { batch: await openBatch(services, head, { ...order, selection: chosen }) };
      }
      case 'register-endpoint':
        await registerEndpoint(services, event);
        return {};
      default:
        return event satisfies never;
    }
  });
}

async function checkSelection(services: AcceptServices, selection: Selection): Promise<void> {
  const { target } = selection;
  if (target !== undefined) await checkTarget(services, target);
  switch (selection.kind) {
    case 'labels':
      return;
    case 'host':
      if (selection.host === target) throw sourceIsTarget(`everything on ${target}`, target);
      await knownHost(services, selection.host, 'data.host');
      return;
    case 'endpoints':
      await checkEndpoints(services, selection.endpoints, target);
      return;
    default:
      return selection satisfies never;
  }
}

async function checkTarget(services: AcceptServices, target: HostName): Promise<void> {
  const host = await knownHost(services, target, 'data.target');
  if (acceptsArrivals(host)) return;
  const why = host.intent.value === 'active' ? Object.keys(host.signals).join(', ') : host.intent.value;
  throw new Refused({
    code: 'target-closed',
    field: 'data.target',
    sentence: `${target} takes no new endpoints: it is ${why}`,
    cure: `choose another target, or publish host.uncordoned for ${target}`,
  });
}

async function checkEndpoints(
  { store }: AcceptServices,
  endpoints: readonly EndpointName[],
  target: HostName | undefined,
): Promise<void> {
  const placements = await store.loadMany(
    'endpoint',
    endpoints.map((endpoint) => ({ endpoint })),
  );
  for (const [index, endpoint] of endpoints.entries()) {
    const field = `data.endpoints[${String(index)}]`;
    const placement = placements[index];
    if (placement === undefined) {
      throw new Refused({
        code: 'endpoint-unknown',
        field,
        sentence: `there is no endpoint ${endpoint}`,
        cure: `look for its name with dray endpoint discover <host>, or register it: dray endpoint add ${endpoint} --host … --database …`,
      });
    }
    if (placement.host === target) throw sourceIsTarget(endpoint, target, field);
    if (placement.claim !== undefined) {
      throw new Refused({
        code: 'endpoint-moving',
        field,
        sentence: `${endpoint} is being moved already, by ${placement.claim.move}`,
        cure: `wait for it (dray move show ${placement.claim.move}), then ask again`,
      });
    }
  }
}

async function knownHost({ store }: AcceptServices, name: HostName, field: string) {
  const host = await store.load('host', { name });
  if (host !== undefined) return host;
  throw new Refused({
    code: 'host-unknown',
    field,
    sentence: `there is no host ${name}`,
    cure: `check the name, or register it: dray host add ${name} --driver … --url … --zone …`,
  });
}

function sourceIsTarget(what: string, target: HostName, field = 'data.target'): Refused {
  return new Refused({
    code: 'source-is-target',
    field,
    sentence: `${what} is on ${target} already`,
    cure: 'choose another target, or leave it out and let the planner choose',
  });
}

async function registerEndpoint(
  services: AcceptServices,
  event: Extract<RequestEvent, { readonly kind: 'register-endpoint' }>,
): Promise<void> {
  const host = await knownHost(services, event.host, 'data.host');
  const { endpoint, database, sizeBytes, labels } = event;
  const inserted = await services.store.insert('endpoint', {
    endpoint,
    driver: host.driver,
    host: host.name,
    database,
    epoch: 1,
    arbitration: { kind: 'serving' },
    claims: 0,
    announcedEpoch: 1,
    sizeBytes,
    labels,
    registeredAt: services.clock.now(),
    version: 1,
  });
  if (inserted === 'inserted') return;
  const held = await services.store.load('endpoint', { endpoint });
  if (held === undefined || (held.host === host.name && held.database === database)) return;
  throw new Refused({
    code: 'endpoint-exists',
    field: 'data.name',
    sentence: `${endpoint} is registered already: database ${held.database} on ${held.host}`,
    cure: 'choose another name; to change where it is, move it',
  });
}
