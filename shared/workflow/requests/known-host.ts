import { failures } from '../../domain/health.ts';
import { acceptsArrivals, type Host } from '../../domain/host.ts';
import type { HostName } from '../../domain/ids.ts';
import type { Services } from '../services.ts';
import { Refused } from './record-request.ts';

type HostServices = Pick<Services, 'store'>;

/** @throws Refused `host-unknown`, naming the field */
export async function knownHost({ store }: HostServices, name: HostName, field: string): Promise<Host> {
  const host = await store.load('host', { name });
  if (host !== undefined) return host;
  throw unknownHost(name, field);
}

/** May endpoints be sent there? @throws Refused `host-unknown`, `target-closed` */
export async function checkTarget(
  services: HostServices,
  target: HostName | undefined,
  field = 'data.target',
): Promise<void> {
  if (target === undefined) return;
  const host = await knownHost(services, target, field);
  if (acceptsArrivals(host)) return;
  const why = host.intent.value === 'active' ? failures(host).join(', ') : host.intent.value;
  throw new Refused({
    code: 'target-closed',
    field,
    sentence: `${target} takes no new endpoints: it is ${why}`,
    cure: `choose another target, or publish host.uncordoned for ${target}`,
  });
}

export function unknownHost(name: HostName, field: string): Refused {
  return new Refused({
    code: 'host-unknown',
    field,
    sentence: `there is no host ${name}`,
    cure: `check the name, or register it: dray host add ${name} --driver … --url … --zone …`,
  });
}
