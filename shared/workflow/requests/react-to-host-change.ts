import type { EventHead, HostChange, Parsed } from '../../domain/event.ts';
import { healthy } from '../../domain/health.ts';
import type { Host } from '../../domain/host.ts';
import type { BatchId } from '../../domain/ids.ts';
import { priorities } from '../../domain/priority.ts';
import type { Services } from '../services.ts';
import { hearAlarm } from './hear-alarm.ts';
import { hearFailing, hearWell } from './host-health.ts';
import { removeHost, setIntent } from './host-intent.ts';
import { anotherServer, changeProfile, describeHost, type HostLook } from './host-profile.ts';
import { checkWindow } from './check-window.ts';
import { openBatch } from './open-batch.ts';
import { checkTarget } from './known-host.ts';
import { assertProspectOfHost } from './prospect.ts';
import { recordRefusal, recordRequest } from './record-request.ts';

type HostServices = Pick<
  Services,
  | 'store'
  | 'views'
  | 'blobs'
  | 'bus'
  | 'clock'
  | 'calendar'
  | 'chance'
  | 'log'
  | 'tracer'
  | 'secrets'
  | 'settings'
> &
  Pick<HostLook, 'driver'>;
type ChangeOf<K extends HostChange['kind']> = Extract<HostChange, { readonly kind: K }>;

/** Takes one event of the `host-changes` topic. */
export async function reactToHostChange(services: HostServices, parsed: Parsed<HostChange>): Promise<void> {
  if (parsed.kind === 'refused') {
    await recordRefusal(services, parsed.head, parsed.refusal);
    return;
  }
  const { head, event } = parsed;
  const why = 'reason' in event ? { reason: event.reason } : {};
  await recordRequest(services, { ...head, ...why }, async () => {
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
      case 'change':
        await changeProfile(services, event);
        return {};
      case 'fail':
        await hearFailing(services, event.host, { ...event, kind: 'failed' });
        return {};
      case 'recover':
        await hearWell(services, event.host, event);
        return {};
      case 'alarm':
        await hearAlarm(services, event.alarm);
        return {};
      case 'remove':
        await removeHost(services, event);
        return {};
      default:
        return event satisfies never;
    }
  });
}

/** Reads the host itself, so that a wrong address or password is known now and not in the middle of a move. */
async function register(services: HostServices, event: ChangeOf<'register'>): Promise<void> {
  const { kind: _, host: name, ...said } = event;
  const description = await describeHost(services, { name, ...said });
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
        labels: {},
        ...known,
        intent: { value: 'active', sequence: 0, reason: 'registered' },
        sequences: {},
        ...healthy,
        permitsOut: [],
        permitsIn: [],
        reserved: {},
        registeredAt: services.clock.now(),
        version: 1,
      };
      if ((await services.store.insert('host', row)) === 'inserted') return;
    } else {
      if (held.systemIdentifier !== known.systemIdentifier) throw anotherServer(name, 'data.name');
      if ((await services.store.commit('host', held, { ...held, ...known })).kind === 'committed') return;
    }
  }
}

/** Nothing new arrives, and everything that is there leaves. */
async function drain(services: HostServices, head: EventHead, event: ChangeOf<'drain'>): Promise<BatchId> {
  const { host, target, reason, policy, deadline } = event;
  await checkTarget(services, target);
  checkWindow(services, policy);
  const selection = { kind: 'host', host, ...(target === undefined ? {} : { target }) } as const;
  await assertProspectOfHost(services, selection, 'data.host');
  await setIntent(services, event, 'draining');
  return openBatch(services, head, {
    reason,
    selection,
    policy,
    priority: priorities.drain,
    ...(deadline === undefined ? {} : { deadline }),
  });
}
