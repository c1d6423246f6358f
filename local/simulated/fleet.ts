import { z } from 'zod';
import { behaviourSchema } from '../../shared/drivers/simulated/behaviour.ts';
import type { Network } from '../../shared/drivers/simulated/network.ts';

export const fleetSchema = z.strictObject({
  /** How many hosts, named `sim-1`, `sim-2`, … */
  hosts: z.int().min(1).max(1_000),
  /** How many databases, named `tenant-00001`, …, spread over the first `onHosts` hosts. */
  endpoints: z.int().min(0).max(1_000_000),
  onHosts: z.int().min(1).optional(),
  /** The first so many hosts hold only so many of them each; the others share the rest. */
  small: z
    .strictObject({ hosts: z.int().min(0), endpoints: z.int().min(0) })
    .default({ hosts: 0, endpoints: 0 }),
  bytes: z.int().min(0).default(8_192),
  rows: z.int().min(0).default(10),
  behaviour: behaviourSchema.default({}),
});
export type FleetSpec = z.input<typeof fleetSchema>;

export interface Fleet {
  readonly hosts: readonly string[];
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly bytes: number }[];
}

/** Makes hosts and their databases at one stroke. */
export function makeFleet(network: Network, spec: FleetSpec, now: number): Fleet {
  const { hosts: count, endpoints, onHosts = count, small, bytes, rows, behaviour } = fleetSchema.parse(spec);
  const hosts = Array.from({ length: count }, (_, index) => `sim-${String(index + 1)}`);
  for (const name of hosts) network.addHost({ name, behaviour });
  const inhabited = hosts.slice(0, onHosts);
  const few = inhabited
    .slice(0, small.hosts)
    .flatMap((host) => Array.from({ length: small.endpoints }, () => host));
  const others = inhabited.slice(small.hosts);
  const made = Array.from({ length: endpoints }, (_, index) => ({
    name: `tenant-${String(index + 1).padStart(5, '0')}`,
    host: few[index] ?? others[index % others.length] ?? 'sim-1',
    bytes,
  }));
  for (const { name, host } of made) network.addDatabase(host, { name, bytes, rows }, now);
  return { hosts, endpoints: made };
}
