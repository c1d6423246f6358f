import { failedSince } from '../../domain/health.ts';
import { permitsOf, type Host, type PermitSide } from '../../domain/host.ts';
import type { Meter } from '../../ports/meter.ts';

const sides: readonly PermitSide[] = ['out', 'in'];
const states = ['active', 'cordoned', 'draining', 'strained', 'failed'] as const;
type HostState = (typeof states)[number];

/** How the hosts are, taken together: counted while somebody reads their rows in any case. */
export class HostCensus {
  readonly #hosts = new Map<HostState, number>();
  readonly #allowed: Record<PermitSide, number> = { out: 0, in: 0 };
  readonly #inUse: Record<PermitSide, number> = { out: 0, in: 0 };

  add(host: Host): void {
    const state = stateOf(host);
    if (state === undefined) return;
    this.#hosts.set(state, (this.#hosts.get(state) ?? 0) + 1);
    for (const side of sides) {
      this.#allowed[side] += permitsOf(host, side);
      this.#inUse[side] += (side === 'out' ? host.permitsOut : host.permitsIn).length;
    }
  }

  /** Also of what there is none: a level that nobody tells stays where it was. */
  tell(meter: Meter): void {
    for (const state of states) meter.note('Hosts', this.#hosts.get(state) ?? 0, { state });
    for (const side of sides) {
      meter.note('Permits', this.#allowed[side], { side });
      meter.note('PermitsInUse', this.#inUse[side], { side });
    }
  }
}

/** What is wrong with it before what is wanted of it; undefined: it was taken away. */
function stateOf(host: Host): HostState | undefined {
  const { value } = host.intent;
  if (value === 'retired') return undefined;
  if (failedSince(host) !== undefined) return 'failed';
  return Object.keys(host.signals).length > 0 ? 'strained' : value;
}
