import type { HostChange } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { Host, Profile } from '../../domain/host.ts';
import type { HostName } from '../../domain/ids.ts';
import type { HostDescription, HostDriver } from '../../ports/driver.ts';
import { siteOf, type SiteServices } from '../host-site.ts';
import type { Services } from '../services.ts';
import { unknownHost } from './known-host.ts';
import { Refused } from './record-request.ts';

export interface HostLook extends SiteServices {
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<Pick<HostDriver, 'describe'>>;
}
type ProfileServices = HostLook & Pick<Services, 'store'>;
type Change = Extract<HostChange, { readonly kind: 'change' }>;

/**
 * Parts of what is known of a host are otherwise now. Each part is ordered by the publisher's sequence for itself,
 * so that of two events about different parts none undoes the other. A new way in is tried before it is believed.
 *
 * @throws Refused `host-unknown`, `change-superseded`, `host-address-refused`, `host-is-another`, and what the host says
 */
export async function changeProfile(services: ProfileServices, event: Change): Promise<void> {
  const { host: name, sequence, profile } = event;
  for (;;) {
    const host = await services.store.load('host', { name });
    if (host === undefined) throw unknownHost(name, 'data.host');
    const newer = partsOf(profile).filter((part) => sequence > (host.sequences[part] ?? -Infinity));
    if (newer.length === 0) {
      if (partsOf(profile).every((part) => host.sequences[part] === sequence)) return;
      throw superseded(name);
    }
    const next = withParts(host, profile, newer, sequence);
    await checkAddresses(services, next, newer);
    if (newer.includes('url') || newer.includes('secret')) await checkServer(services, host, next);
    if ((await services.store.commit('host', host, next)).kind === 'committed') return;
  }
}

type Part = keyof Profile;
const allParts: readonly Part[] = [
  'url',
  'replicationAddress',
  'clientAddress',
  'secret',
  'zone',
  'capacityBytes',
  'labels',
];
const partsOf = (profile: Partial<Profile>): Part[] => allParts.filter((part) => profile[part] !== undefined);

function withParts(host: Host, profile: Partial<Profile>, parts: readonly Part[], sequence: number): Host {
  const changed: Partial<Profile> = Object.fromEntries(parts.map((part) => [part, profile[part]]));
  const sequences = Object.fromEntries(parts.map((part) => [part, sequence]));
  return { ...host, ...changed, sequences: { ...host.sequences, ...sequences } };
}

/**
 * A host must be where hosts of this stage may be: by what stands there before anything is connected to, and by what
 * names lead to when a connection is made. The address for replication is connected to by the other hosts, which look
 * up names by themselves. An address of which nothing is said may be older than the networks: it is in nobody's way
 * until it is connected to.
 * @param said the parts that whoever asks speaks of
 * @throws Refused `host-address-refused`
 */
async function checkAddresses(
  { settings }: SiteServices,
  { url, replicationAddress }: Pick<Host, 'url' | 'replicationAddress'>,
  said: readonly Part[],
): Promise<void> {
  const { hostNetworks } = settings;
  if (said.includes('url'))
    await blaming('data.url', () => {
      hostNetworks.assertAdmits(new URL(url).hostname);
    });
  if (said.includes('replicationAddress'))
    await blaming('data.replicationAddress', () => {
      hostNetworks.assertAdmits(replicationAddress.replace(/:\d+$/, ''));
    });
}

async function checkServer(services: HostLook, host: Host, next: Host): Promise<void> {
  const field = next.url === host.url ? 'data.secret' : 'data.url';
  const { systemIdentifier } = await describe(services, next, { secret: 'data.secret', url: field });
  if (systemIdentifier !== host.systemIdentifier) throw anotherServer(host.name, field);
}

type WayIn = Pick<Host, 'name' | 'driver' | 'url' | 'replicationAddress' | 'secret' | 'options'>;

/**
 * What a new host says of itself, so that a wrong address or password is known now and not in the middle of a move.
 * @throws Refused naming the field that is to blame
 */
export async function describeHost(services: HostLook, host: WayIn): Promise<HostDescription> {
  await checkAddresses(services, host, ['url', 'replicationAddress']);
  return await describe(services, host, { secret: 'data.secret', url: 'data.url' });
}

async function describe(
  services: HostLook,
  host: WayIn,
  fields: { readonly secret: string; readonly url: string },
): Promise<HostDescription> {
  const driver = await blaming('data.driver', async () => services.driver(host.driver));
  const site = await blaming(fields.secret, async () => siteOf(services, host));
  return await blaming(fields.url, async () => driver.describe(site));
}

/** What is wrong for good with a host is wrong with what the event says of it. @throws Refused */
async function blaming<T>(field: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepFailure && error.verdict !== 'throttled')
      throw new Refused({ ...error.failure, field });
    throw error;
  }
}

export function anotherServer(name: HostName, field: string): Refused {
  return new Refused({
    code: 'host-is-another',
    field,
    sentence: `${name} is registered as another server: the one at this address has a different system identifier`,
    cure: 'give the new server a name of its own, and drain the old one',
  });
}

function superseded(name: HostName): Refused {
  return new Refused({
    code: 'change-superseded',
    field: 'data.sequence',
    sentence: `all that this event changes of ${name} was changed by a newer one`,
    cure: 'publish with a higher sequence if this is what is so now',
  });
}
