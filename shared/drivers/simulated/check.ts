import type { Network } from './network.ts';

/** What is wrong with the databases of a network, measured by what their clients remember. */
export interface Findings {
  readonly databases: number;
  /** Writes that a host acknowledged. */
  readonly acknowledged: number;
  /** Acknowledged and not there; of a database that serves nowhere nobody can tell. */
  readonly lost: number;
  /** There more than once. */
  readonly duplicated: number;
  /** There before an earlier write of the same writer. */
  readonly reordered: number;
  /** Databases that accept writes on no host, or on several. */
  readonly homeless: readonly string[];
  readonly doubled: readonly string[];
  /** Where each database is served from: how many there are on each host. */
  readonly served: Readonly<Record<string, number>>;
  /** Things of movers on each host: slots, publications, subscriptions, marked databases that do not serve. */
  readonly residue: Readonly<Record<string, readonly string[]>>;
}

/**
 * Every acknowledged write must be on the one host that serves its database, once, in its writer's order.
 *
 * @param retained whether closed copies that wait for their retirement count as residue
 */
export function check(network: Network, retained: 'is-residue' | 'is-kept' = 'is-kept'): Findings {
  const expected = new Map<string, Map<string, number[]>>();
  for (const { database, writer, seq } of network.acknowledged) {
    const writers = expected.get(database) ?? new Map<string, number[]>();
    expected.set(database, writers);
    const seqs = writers.get(writer) ?? [];
    writers.set(writer, seqs);
    seqs.push(seq);
  }
  const sums = { lost: 0, duplicated: 0, reordered: 0 };
  const homeless: string[] = [];
  const doubled: string[] = [];
  const served: Record<string, number> = {};
  for (const [database, writers] of expected) {
    const [home, ...more] = network.servers(database);
    if (home === undefined) homeless.push(database);
    if (more.length > 0) doubled.push(database);
    if (home !== undefined) served[home] = (served[home] ?? 0) + 1;
    const stored = home === undefined ? new Map<string, number[]>() : storedOn(network, home, database);
    for (const [writer, seqs] of writers) compare(seqs, stored.get(writer) ?? [], sums);
  }
  return {
    databases: expected.size,
    acknowledged: network.acknowledged.length,
    ...sums,
    homeless,
    doubled,
    served,
    residue: residueOf(network, retained),
  };
}

function storedOn(network: Network, hostName: string, name: string): Map<string, number[]> {
  const stored = new Map<string, number[]>();
  for (const database of network.hosts.get(hostName)?.databases.values() ?? []) {
    if (database.name !== name) continue;
    for (const { writer, seq } of database.rows) stored.set(writer, [...(stored.get(writer) ?? []), seq]);
  }
  return stored;
}

function compare(
  expected: readonly number[],
  stored: readonly number[],
  sums: { lost: number; duplicated: number; reordered: number },
): void {
  const there = new Set(stored);
  sums.lost += expected.filter((seq) => !there.has(seq)).length;
  sums.duplicated += stored.length - there.size;
  let highest = -Infinity;
  for (const seq of stored) {
    if (seq < highest) sums.reordered += 1;
    highest = Math.max(highest, seq);
  }
}

function residueOf(network: Network, retained: 'is-residue' | 'is-kept'): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const host of network.hosts.values()) {
    const items = [
      ...[...host.slots.keys()].map((name) => `slot ${name}`),
      ...[...host.publications.keys()].map((name) => `publication ${name}`),
      ...[...host.subscriptions.keys()].map((name) => `subscription ${name}`),
    ];
    for (const { mark, access, name } of host.databases.values()) {
      if (mark === undefined || access === 'open') continue;
      if (access === 'closed-for-good' && retained === 'is-kept') continue;
      items.push(`database ${name}`);
    }
    if (items.length > 0) found[host.name] = items;
  }
  return found;
}
