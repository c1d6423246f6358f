import { StepFailure } from '../domain/failure.ts';
import type { Host } from '../domain/host.ts';
import type { HostName } from '../domain/ids.ts';
import type { HostSite } from '../ports/driver.ts';
import type { Services } from './services.ts';

/** A host's row. @throws StepFailure `host-unknown` */
export async function loadHost({ store }: Pick<Services, 'store'>, name: HostName): Promise<Host> {
  const host = await store.load('host', { name });
  if (host !== undefined) return host;
  throw new StepFailure(
    {
      code: 'host-unknown',
      sentence: `there is no host ${name}`,
      cure: `register it first: dray host add ${name} --url … --zone …`,
    },
    'fail',
  );
}

export interface SiteServices extends Pick<Services, 'secrets'> {
  readonly settings: Pick<Services['settings'], 'hostNetworks'>;
}

/** A host as its driver needs it, with its password fetched just now. @throws StepFailure `secret-missing` */
export async function siteOf(
  { secrets, settings }: SiteServices,
  host: Pick<Host, 'name' | 'url' | 'replicationAddress' | 'secret' | 'options'>,
): Promise<HostSite> {
  const { name, url, replicationAddress, secret, options } = host;
  const plain = { host: name, url, replicationAddress, networks: settings.hostNetworks, options };
  if (secret === undefined) return { ...plain, password: undefined };
  let password = await secrets.fetch(secret);
  return {
    ...plain,
    get password() {
      return password;
    },
    async renewPassword(refused) {
      // Another connection to the same host may have asked already.
      if (password === refused) password = await secrets.fetch(secret);
      return password !== refused;
    },
  };
}
