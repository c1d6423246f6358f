import type { EventHead, HostChange, Parsed } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Host, Intent } from '../../domain/host.ts';
import type { BatchId, HostName } from '../../domain/ids.ts';
import { siteOf } from '../host-site.ts';
import type { Services } from '../services.ts';
import { openBatch } from './open-batch.ts';
import { checkTarget, unknownHost } from './known-host.ts';
import { recordRefusal, recordRequest, Refused } from './record-request.ts';

type HostServices = Pick<
  Services,
  'store' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'secrets' | 'driver'
>;
type ChangeOf<K extends HostChange['kind']> = Extract<HostChange, { readonly kind: K }>;

/** A drain goes before what people merely asked for. */
const drainPriority = 80;

/** Takes one event of the `host-changes` topic. */
export async function reactToHostChange(services: HostServices, parsed: Parsed<HostChange>): Promise<void> {
  if (parsed.kind === 'refused') {
    await recordRefusal(services, parsed.head, parsed.refusal);
    return;
  }
  const { head, event } = parsed;
  await recordRequest(services, head, async () => {
    switch (event.kind) {
      case 'register':
        await register(services, event);
        return {};
      case 'cordon':
        await setIntent(services, event, 'cordoned');
        return {};
      case 'uncordon':
        await setIntent(services, event, 'active');
        return {};
      case 'drain':
        return { batch: await drain(services, head, event) };
      default:
        return event satisfies never;
    }
  });
}

/** Reads the host itself, so that a wrong address or password is known now and not in the middle of a move. */
async function register(services: HostServices, event: ChangeOf<'register'>): Promise<void> {
  const { kind: _, host: name, ...said } = event;
  const driver = await blaming('data.driver', services.driver(said.driver));
  const site = await blaming('data.secret', siteOf(services, { name, ...said }));
  const description = await blaming('data.url', driver.describe(site));
  const known = {
    ...said,
    name,
    systemIdentifier: description.systemIdentifier,
    serverVersion: description.version,
    movesOut: description.movesOut,
    movesIn: description.movesIn,
  };
  for (;;) {
    const held = await services.store.load('host', { name });
    if (held === undefined) {
      const row: Host = {
        ...known,
        intent: { value: 'active', sequence: 0, reason: 'registered' },
        signals: {},
        permitsOut: [],
        permitsIn: [],
        reserved: {},
        registeredAt: services.clock.now(),
        version: 1,
      };
      if ((await services.store.insert('host', row)) === 'inserted') return;
    } else {
      if (held.systemIdentifier !== known.systemIdentifier) throw anotherServer(name);
      if ((await services.store.commit('host', held, { ...held, ...known })).kind === 'committed') return;
    }
  }
}

/** What is wrong for good with a host is wrong with what the event says of it. @throws Refused */
async function blaming<T>(field: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StepFailure && error.verdict !== 'throttled')
      throw new Refused({ ...error.failure, field });
    throw error;
  }
}

function anotherServer(name: HostName): Refused {
  return new Refused({
    code: 'host-is-another',
    field: 'data.name',
    sentence: `${name} is registered as another server: the one at this address has a different system identifier`,
    cure: 'give the new server a name of its own, and drain the old one',
  });
}

/** People's intents are ordered by their own sequence: one that arrives late changes nothing, and is told so. */
async function setIntent(
  { store }: HostServices,
  event: { readonly host: HostName; readonly reason: string; readonly sequence: number },
  value: Intent,
): Promise<void> {
  for (;;) {
    const host = await store.load('host', { name: event.host });
    if (host === undefined) throw unknownHost(event.host, 'data.host');
    const { sequence } = host.intent;
    if (sequence === event.sequence && host.intent.value === value) return;
    if (sequence >= event.sequence) {
      throw new Refused({
        code: 'intent-superseded',
        field: 'data.sequence',
        sentence: `${event.host} has a newer intent (${host.intent.value}, sequence ${String(sequence)})`,
        cure: 'publish with a higher sequence if this is what is wanted now',
      });
    }
    const intent = { value, sequence: event.sequence, reason: event.reason };
    if ((await store.commit('host', host, { ...host, intent })).kind === 'committed') return;
  }
}

/** Nothing new arrives, and everything that is there leaves. */
async function drain(services: HostServices, head: EventHead, event: ChangeOf<'drain'>): Promise<BatchId> {
  const { host, target, reason, policy } = event;
  if (target !== undefined) await checkTarget(services, target);
  await setIntent(services, event, 'draining');
  const selection = { kind: 'host', host, ...(target === undefined ? {} : { target }) } as const;
  return openBatch(services, head, { reason, selection, policy, priority: drainPriority });
}
