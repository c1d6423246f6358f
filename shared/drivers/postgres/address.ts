import { isIP } from 'node:net';
import { StepFailure } from '../../domain/failure.ts';
import type { HostSite } from '../../ports/driver.ts';
import type { PostgresAddress, TlsMode } from './connection.ts';

const tlsModes: Readonly<Record<string, TlsMode>> = {
  'verify-full': 'verify-full',
  require: 'require',
  disable: 'disable',
};

/** The mover's way in, and the database it starts from: where the host tokens live. */
export interface SiteAddress extends PostgresAddress {
  readonly maintenance: string;
}

/**
 * Reads the address of a host. Without `sslmode` the certificate is verified, except on loopback, where
 * nobody can listen. A private CA is given as `options.ca` (PEM).
 * @throws StepFailure `host-url` naming what is wrong
 */
export function siteAddress(site: HostSite): SiteAddress {
  const wrong = (why: string): StepFailure =>
    new StepFailure(
      {
        code: 'host-url',
        sentence: `The url of host "${site.host}" ${why}.`,
        cure: 'Write it as postgres://mover@db1.example:5432/postgres?sslmode=verify-full',
      },
      'fail',
    );
  const url = URL.parse(site.url);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw wrong('is no postgres:// url');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw wrong('names no server');
  const user = decodeURIComponent(url.username);
  if (user === '') throw wrong('names no user');
  const ca = site.options['ca'];
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user,
    // Of the site as it is when it is asked: a password that was refused may have been renewed.
    get password() {
      return site.password ?? (url.password === '' ? undefined : decodeURIComponent(url.password));
    },
    renewPassword: site.renewPassword,
    networks: site.networks,
    tls: tlsOf(url.searchParams.get('sslmode'), host, wrong),
    caPem: typeof ca === 'string' ? ca : undefined,
    maintenance: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
  };
}

/**
 * How the other host reaches this one: same credentials and TLS, the address for replication.
 * @throws StepFailure `replication-address`, `host-address-refused`
 */
export function replicationAddress(site: HostSite): PostgresAddress {
  const own = siteAddress(site);
  const found = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(site.replicationAddress);
  const host = found?.[1] ?? found?.[2];
  if (host === undefined) {
    throw new StepFailure(
      {
        code: 'replication-address',
        sentence: `The replication address of host "${site.host}" is not host:port.`,
        cure: 'Give the address by which the other hosts reach this server, e.g. db1.internal:5432',
      },
      'fail',
    );
  }
  // The other host connects there: it must not be sent where a function may not go either.
  site.networks.assertAdmits(host);
  return { ...own, host, port: found?.[3] === undefined ? own.port : Number(found[3]) };
}

function tlsOf(mode: string | null, host: string, wrong: (why: string) => StepFailure): TlsMode {
  if (mode === null) return isLoopback(host) ? 'disable' : 'verify-full';
  const known = tlsModes[mode];
  if (known === undefined)
    throw wrong(`has sslmode "${mode}", which is none of verify-full, require, disable`);
  return known;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
