import type { ScaleTarget } from '../../domain/scaling.ts';
import { everyHost } from '../every-host.ts';
import { eachApart } from '../each-apart.ts';
import { readFleet } from '../fleet-record.ts';
import type { Services } from '../services.ts';
import { scaleTarget, strainsOf, type ScalingServices } from './scale-target.ts';

/**
 * The next step for every target: all, each zone, and the hosts that are spared or ought to be. Made each minute, so
 * that what an alarm began goes on until it ends, and what was taken comes back, without another message.
 */
export async function scaleFleet(services: ScalingServices & Pick<Services, 'views'>): Promise<void> {
  const [hosts, fleet, known] = await Promise.all([
    everyHost(services),
    readFleet(services),
    knownTargets(services),
  ]);
  if (hosts.length === 0) return;
  const zones = new Set(hosts.map(({ zone }) => zone));
  const spared = hosts.filter(
    (host) => known.has(`host/${host.name}`) || host.throttle !== undefined || strainsOf(host).length > 0,
  );
  const targets: ScaleTarget[] = [
    { kind: 'all' },
    ...[...zones].map((zone): ScaleTarget => ({ kind: 'zone', zone })),
    ...spared.map(({ name }): ScaleTarget => ({ kind: 'host', host: name })),
  ];
  await eachApart(services, targets, async (target) => {
    await scaleTarget(services, target, { hosts, fleet });
  });
}

async function knownTargets({ views }: Pick<Services, 'views'>): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await views.scalers(cursor);
    for (const target of page.items) known.add(target);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return known;
}
