import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { StepFailure } from '../domain/failure.ts';
import type { HostNetworks } from '../ports/networks.ts';

const loopback = ['127.0.0.0/8', '::1/128'];
/** Where a function finds credentials, name servers and itself, and never a host: whatever a stage allows. */
const never = [
  // "This machine", which connects to loopback.
  '0.0.0.0/8',
  '::/128',
  // Link-local: the metadata and credentials of whatever runs there.
  '169.254.0.0/16',
  'fe80::/10',
  // The same of AWS, over IPv6, and what a gateway to IPv4 makes of it.
  'fd00:ec2::/32',
  '64:ff9b::a9fe:0/112',
  // Many at once.
  '224.0.0.0/3',
  'ff00::/8',
];

/** An IPv4 or IPv6 network: `10.0.0.0/8`. */
interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** @returns undefined when the text is no network */
export function readNetwork(text: string): Network | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const prefix = Number(length);
  if (version === 0 || address.includes('%') || prefix > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/**
 * @param networks as `readNetwork` reads them; others are left out
 * @param isEmbedded hosts may be on this very machine
 */
export function hostNetworks(networks: readonly string[], isEmbedded: boolean): HostNetworks {
  const admitted = listOf(isEmbedded ? [...networks, ...loopback] : networks);
  const refused = listOf(isEmbedded ? never : [...never, ...loopback]);
  const admits = (address: string): boolean => {
    // The name of an interface stands behind an address of this link only.
    const [plain = ''] = address.split('%');
    const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
    return admitted.check(plain, family) && !refused.check(plain, family);
  };
  const refusal = (what: string): StepFailure =>
    new StepFailure(
      {
        code: 'host-address-refused',
        sentence: `${what} is where no host of this stage may be: its networks are ${networks.join(', ')}, and link-local addresses${isEmbedded ? '' : ' and its own'} are never among them`,
        cure: 'correct the address of the host, or have whoever deploys add its network to the parameter hostNetworks',
      },
      'fail',
    );
  return {
    assertAdmits(host) {
      const address = host.replace(/^\[|\]$/g, '');
      if (isIP(address) === 0) {
        if (isNumber(address)) throw refusal(`${address}, an address that is written as a number,`);
      } else if (!admits(address)) throw refusal(address);
    },
    lookup(name, options, answer) {
      lookup(name, { ...options, all: true }, (error, found) => {
        if (error !== null) {
          answer(error, []);
          return;
        }
        const good = found.filter(({ address }) => admits(address));
        const [first] = good;
        if (first === undefined) answer(refusal(`${name} (${addressesOf(found)})`), []);
        else if (options.all === true) answer(null, good);
        else answer(null, first.address, first.family);
      });
    },
  };
}

/**
 * Resolvers take `2852039166`, `0xa9fea9fe` and `169.254.43518` for addresses, PostgreSQL's own on the other host among
 * them. As in URLs, the last part decides: no name of a host ends in a number.
 */
const isNumber = (host: string): boolean => /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i.test(host);

const addressesOf = (found: readonly LookupAddress[]): string =>
  found.map(({ address }) => address).join(', ');

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const network = readNetwork(text);
    if (network !== undefined) list.addSubnet(network.address, network.prefix, network.family);
  }
  return list;
}

/** For whoever connects by their own right from where they sit: an operator at a terminal. */
export const anyNetwork: HostNetworks = { assertAdmits: () => undefined, lookup };
