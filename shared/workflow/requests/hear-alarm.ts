import {
  alarmDefaults,
  instanceDimension,
  instanceLabel,
  kindOfAlarm,
  signalOfAlarm,
  valuesOf,
  type Alarm,
  type AlarmRules,
} from '../../domain/alarm.ts';
import { isHostName, type HostName } from '../../domain/ids.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';
import { hearFailing, hearWell } from './host-health.ts';
import { Refused } from './record-request.ts';

type AlarmServices = Pick<Services, 'store' | 'views' | 'log' | 'settings'>;

const field = 'Trigger.Dimensions';

/**
 * An alarm of CloudWatch has changed its state: ALARM opens its signal on the host that its metric is about, OK ends
 * it, and of INSUFFICIENT_DATA nothing follows, for it says nothing of the host.
 *
 * @throws Refused `host-unknown`, `alarm-host-unknown`, `alarm-ambiguous`, `signals-too-many`
 */
export async function hearAlarm(services: AlarmServices, alarm: Alarm): Promise<void> {
  const rules = services.settings.alarms ?? alarmDefaults;
  const host = await hostOfAlarm(services, alarm, rules);
  const { name, at, reason } = alarm;
  const signal = signalOfAlarm(name);
  switch (alarm.state) {
    case 'ALARM': {
      const word = {
        signal,
        kind: kindOfAlarm(name, rules),
        at,
        ...(reason === undefined ? {} : { reason }),
      };
      await hearFailing(services, host, word, field);
      return;
    }
    case 'OK':
      await hearWell(services, host, { signal, at }, field);
      return;
    case 'INSUFFICIENT_DATA':
      return;
    default:
      return alarm.state satisfies never;
  }
}

async function hostOfAlarm(services: AlarmServices, alarm: Alarm, rules: AlarmRules): Promise<HostName> {
  const named = valuesOf(alarm, rules.hostDimensions);
  const instances = named.length > 0 ? [] : valuesOf(alarm, [instanceDimension]);
  const hosts = named.length > 0 ? named.filter(isHostName) : await hostsOfInstances(services, instances);
  const [host, another] = hosts;
  if (another !== undefined) {
    throw new Refused({
      code: 'alarm-ambiguous',
      field,
      sentence: `the alarm ${alarm.name} is about ${String(hosts.length)} hosts: ${hosts.slice(0, 5).join(', ')}`,
      cure: 'make an alarm for each host, so that each has a signal of its own',
    });
  }
  if (host !== undefined) return host;
  const dimensions = rules.hostDimensions.join(', ');
  throw new Refused({
    code: 'alarm-host-unknown',
    field,
    sentence: `the alarm ${alarm.name} is about no host of ours: it has no dimension ${dimensions}, and no ${instanceDimension} that a host has as its label ${instanceLabel}`,
    cure: `give its metric the dimension ${dimensions}, or the host the label: dray host change <name> --label ${instanceLabel}=…`,
  });
}

/** Alarms are few, and so are hosts: all of them are looked through. */
async function hostsOfInstances(services: AlarmServices, instances: readonly string[]): Promise<HostName[]> {
  if (instances.length === 0) return [];
  const found: HostName[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.views.hosts(cursor);
    const hosts = await loadReadable(
      services,
      'host',
      page.items.map((name) => ({ name })),
    );
    for (const host of hosts) {
      if (host === undefined || host === 'unreadable') continue;
      const instance = host.labels[instanceLabel];
      if (instance !== undefined && instances.includes(instance)) found.push(host.name);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
