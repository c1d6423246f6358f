import type { Site } from './ground.ts';

/** How much the spread of numbers and the one over zones count beside the spread of bytes. */
const weightOfCount = 0.25;
const weightOfZones = 0.25;

/**
 * How unevenly hosts of one engine are filled: 0 when each holds its fair share, by its size, of bytes and of
 * endpoints, and each zone of bytes. The mean square of what each has more or less than its share, as a part of it.
 */
export function imbalanceOf(sites: readonly Site[]): number {
  const scale = new Scale(sites);
  return sites.length === 0 ? 0 : scale.measure(sites);
}

/**
 * Compares where something might go. The totals stay what they were when it was made: a plan moves things about, and
 * makes none.
 */
export class Scale {
  /** Bytes of load, and endpoints, for each byte of size, were everything even. */
  readonly fairLoad: number;
  readonly fairCount: number;
  readonly #ofBytes: number;
  readonly #ofCount: number;

  /** @param sites over which load is to be spread @param all that hold what is to be spread, if there are more */
  constructor(sites: readonly Site[], all: readonly Site[] = sites) {
    const size = sum(sites, (site) => site.size);
    const load = sum(all, (site) => site.load);
    const count = sum(all, (site) => site.count);
    this.fairLoad = size > 0 ? load / size : 0;
    this.fairCount = size > 0 ? count / size : 0;
    this.#ofBytes = load > 0 ? size / load ** 2 : 0;
    this.#ofCount = count > 0 ? (weightOfCount * size) / count ** 2 : 0;
  }

  /** What an arrival adds to the imbalance. */
  costOf({ load, count, size, zone }: Site, bytes: number): number {
    const ofZone = zone === undefined ? 0 : ((2 * zone.load + bytes) * bytes) / zone.size;
    const ofBytes = ((2 * load + bytes) * bytes) / size + weightOfZones * ofZone;
    return this.#ofBytes * ofBytes + (this.#ofCount * (2 * count + 1)) / size;
  }

  /** What a move changes of it: under zero when it grows more even. */
  changeBy(from: Site, to: Site, bytes: number): number {
    const lost = ((bytes - 2 * from.load) * bytes) / from.size;
    const gained = ((bytes + 2 * to.load) * bytes) / to.size;
    const ofCount = (1 - 2 * from.count) / from.size + (1 + 2 * to.count) / to.size;
    return (
      this.#ofBytes * (lost + gained + weightOfZones * changeOfZones(from, to, bytes)) +
      this.#ofCount * ofCount
    );
  }

  measure(sites: readonly Site[]): number {
    const zones = new Set(sites.flatMap(({ zone }) => zone ?? []));
    const ofBytes = sum(sites, ({ load, size }) => load ** 2 / size);
    const ofZones = [...zones].reduce((total, { load, size }) => total + load ** 2 / size, 0);
    const ofCount = sum(sites, ({ count, size }) => count ** 2 / size);
    const bytes = this.#ofBytes * (ofBytes + weightOfZones * ofZones);
    // What is left when everything is even.
    const even = (this.#ofBytes > 0 ? 1 + weightOfZones : 0) + (this.#ofCount > 0 ? weightOfCount : 0);
    return Math.max(0, bytes + this.#ofCount * ofCount - even);
  }
}

function changeOfZones({ zone: from }: Site, { zone: to }: Site, bytes: number): number {
  if (from === undefined || to === undefined || from === to) return 0;
  return ((bytes - 2 * from.load) * bytes) / from.size + ((bytes + 2 * to.load) * bytes) / to.size;
}

const sum = (sites: readonly Site[], of: (site: Site) => number): number =>
  sites.reduce((total, site) => total + of(site), 0);
