import { lowered, mostSignals, raised, type Health, type Word } from '../../domain/health.ts';
import type { Host } from '../../domain/host.ts';
import type { HostName } from '../../domain/ids.ts';
import type { Services } from '../services.ts';
import { unknownHost } from './known-host.ts';
import { Refused } from './record-request.ts';

type HealthServices = Pick<Services, 'store'>;

/** A word that something is wrong with a host. @throws Refused `host-unknown`, `signals-too-many` */
export async function hearFailing(
  services: HealthServices,
  name: HostName,
  word: Word,
  field = 'data.host',
): Promise<void> {
  await changeHealth(services, name, field, (health) => {
    const next = raised(health, word);
    if (next !== 'full') return next;
    throw new Refused({
      code: 'signals-too-many',
      field: 'data.signal',
      sentence: `${name} has ${String(mostSignals)} open signals already; one more is not kept`,
      cure: `say which of them are over: dray host recover ${name} --signal …`,
    });
  });
}

/** A word that a signal is over. @throws Refused `host-unknown` */
export async function hearWell(
  services: HealthServices,
  name: HostName,
  { signal, at }: Pick<Word, 'signal' | 'at'>,
  field = 'data.host',
): Promise<void> {
  await changeHealth(services, name, field, (health) => lowered(health, signal, at));
}

/** What is wrong with a host is no matter of what people want of it: its intent stays as it is. */
async function changeHealth(
  { store }: HealthServices,
  name: HostName,
  field: string,
  change: (health: Health) => Health,
): Promise<void> {
  for (;;) {
    const host = await store.load('host', { name });
    if (host === undefined) throw unknownHost(name, field);
    const health = change(host);
    if (health === host) return;
    const { signals, cleared } = health;
    const next: Host = { ...host, signals, cleared };
    if ((await store.commit('host', host, next)).kind === 'committed') return;
  }
}
