import type { Behaviour } from '../../shared/drivers/simulated/behaviour.ts';
import { anyNetwork } from '../../shared/runtime/host-networks.ts';
import type { Settings } from '../../shared/workflow/services.ts';
import { Dice } from '../support/dice.ts';
import { scalingBounds } from '../support/scaling-bounds.ts';

/** What stands at the beginning, and what people ask for. */
export interface Scenario {
  readonly hosts: readonly { readonly name: string; readonly behaviour: Behaviour }[];
  readonly endpoints: readonly {
    readonly name: string;
    readonly database: string;
    readonly host: string;
    readonly bytes: number;
    readonly rows: number;
    /** Milliseconds between two writes of its application, on average. */
    readonly everyMs: number;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Events as publishers send them. */
  readonly publications: readonly {
    readonly atMs: number;
    readonly queue: 'requests' | 'host-changes';
    readonly text: string;
  }[];
  readonly settings: Settings;
  /** From here nothing goes wrong any more. */
  readonly calmAtMs: number;
}

/** The scenario of a seed. Faults are planned apart from it, so that one can be left out. */
export function planScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const hosts = Array.from({ length: dice.between(4, 6) }, (_, index) => ({
    name: `h${String(index + 1)}`,
    behaviour: planHost(dice),
  }));
  const names = hosts.map(({ name }) => name);
  const crowded = names[0] ?? '';
  const endpoints = Array.from({ length: dice.between(7, 8) }, (_, index) => ({
    name: `e${String(index + 1)}`,
    database: `data ${String(index + 1)}`,
    // Most of them on one host, which is emptied.
    host: index < 6 ? crowded : dice.pick(names),
    bytes: dice.between(10_000, 2_000_000),
    rows: dice.between(3, 15),
    everyMs: dice.between(1_000, 4_000),
    labels: { tier: dice.pick(['gold', 'iron']) },
  }));
  return {
    hosts,
    endpoints,
    publications: planPublications(dice, names, endpoints),
    settings: {
      installation: 'sim',
      leaseMs: { transfer: 5_000, cutover: 3_000, retire: 5_000, rollback: 5_000 },
      slowStoreMs: 500,
      patienceMs: dice.pick([8_000, 20_000, 60_000]),
      freshMs: dice.pick([5_000, 60_000, 600_000]),
      healingRetentionMs: 5_000,
      hostNetworks: anyNetwork,
      scaling: scalingBounds,
    },
    calmAtMs: dice.between(40, 70) * 1_000,
  };
}

function planHost(dice: Dice): Behaviour {
  return {
    slots: dice.between(1, 4),
    workers: dice.between(1, 4),
    ...(dice.chance(0.7) ? { copyBytesPerSecond: dice.between(100_000, 3_000_000) } : {}),
    ...(dice.chance(0.3) ? { applyRowsPerSecond: dice.between(20, 500) } : {}),
    ...(dice.chance(0.4) ? { lagMs: dice.between(5, 600) } : {}),
    ...(dice.chance(0.12) ? { replicates: false } : {}),
  };
}

type Publication = Scenario['publications'][number];

/** A drain, a batch by name, and later ones that move some of it again, back, or wrongly. */
function planPublications(
  dice: Dice,
  hosts: readonly string[],
  endpoints: Scenario['endpoints'],
): readonly Publication[] {
  const [crowded = '', ...others] = hosts;
  const policy = (): object => ({
    offline: 'allow',
    roles: 'require',
    retention: dice.pick([0, 0, 3_000, 15_000]),
    pauseBudget: dice.pick([400, 2_000, 10_000]),
    lagLimitBytes: dice.pick([1_024, 65_536]),
  });
  const elsewhere = endpoints.filter(({ host }) => host !== crowded).map(({ name }) => name);
  const target = dice.pick(others);
  const publications: Publication[] = [
    event(dice.between(0, 3_000), 'host-changes', 'drain-1', 'host.draining', {
      host: crowded,
      reason: 'hardware is retired',
      sequence: 1,
      policy: policy(),
    }),
  ];
  if (elsewhere.length > 0) {
    publications.push(
      event(dice.between(0, 8_000), 'requests', 'spread-1', 'batch-move.requested', {
        reason: 'spread the load',
        endpoints: elsewhere,
        policy: policy(),
      }),
    );
  }
  const kind = dice.fraction();
  const chosen = dice.shuffle(endpoints.map(({ name }) => name)).slice(0, dice.between(2, 4));
  const selection =
    kind < 0.5
      ? { endpoints: chosen, ...(dice.chance(0.5) ? { target } : {}) }
      : kind < 0.75
        ? { labels: { tier: 'gold' }, ...(dice.chance(0.3) ? { target } : {}) }
        : { host: target };
  publications.push(
    event(dice.between(10_000, 35_000), 'requests', 'again', 'batch-move.requested', {
      reason: 'moved again',
      ...selection,
      policy: policy(),
    }),
  );
  publications.push(
    event(dice.between(1_000, 30_000), 'host-changes', 'uncordon-1', 'host.uncordoned', {
      host: crowded,
      sequence: 0,
    }),
    event(dice.between(1_000, 30_000), 'host-changes', 'cordon-2', 'host.cordoned', {
      host: dice.pick(others),
      reason: 'looked at',
      sequence: 1,
    }),
  );
  // A publisher that has no answer says it again, and one that is mistaken says something else under an old name.
  const again = dice.pick(publications);
  publications.push({ ...again, atMs: again.atMs + dice.between(1, 40_000) });
  const batch = publications.find(({ queue }) => queue === 'requests');
  if (batch !== undefined) {
    publications.push({
      ...batch,
      atMs: batch.atMs + 5_000,
      text: batch.text.replace('spread the load', 'other'),
    });
  }
  return publications;
}

function event(
  atMs: number,
  queue: Publication['queue'],
  id: string,
  type: string,
  data: object,
): Publication {
  const text = JSON.stringify({ specversion: '1.0', id, source: 'operators', type, data });
  return { atMs, queue, text };
}
