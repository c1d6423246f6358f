import type { Network } from '../../shared/drivers/simulated/network.ts';

/**
 * Clients of simulated databases: each database has one writer that counts. It finds its database where it
 * serves, tries the same number again when it is refused, and goes on to the next once that is acknowledged.
 */
export class SimulatedWriters {
  readonly #network: Network;
  readonly #now: () => number;
  readonly #next = new Map<string, number>();
  readonly #homes = new Map<string, string>();
  #turn = 0;
  #refused = 0;

  constructor(network: Network, now: () => number) {
    this.#network = network;
    this.#now = now;
  }

  /** How many writes were refused and tried again. */
  get refused(): number {
    return this.#refused;
  }

  /** Writes to the next `count` databases, one after another. */
  write(databases: readonly string[], count: number): void {
    for (let index = 0; index < count; index += 1) {
      const database = databases[this.#turn % databases.length];
      this.#turn += 1;
      if (database !== undefined) this.#writeTo(database);
    }
  }

  #writeTo(database: string): void {
    const home = this.#homes.get(database) ?? this.#network.servers(database)[0];
    if (home === undefined) {
      this.#refused += 1;
      return;
    }
    const seq = this.#next.get(database) ?? 1;
    const reply = this.#network.write(home, { database, writer: 'client', seq }, this.#now());
    if (reply.kind === 'refusal') {
      this.#refused += 1;
      this.#homes.delete(database);
      return;
    }
    // An answer that was lost leaves the outcome unknown: the number is not used again.
    this.#homes.set(database, home);
    this.#next.set(database, seq + 1);
  }
}
