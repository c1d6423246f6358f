import { isDeepStrictEqual } from 'node:util';
import type { Fleet } from '../../domain/fleet.ts';
import type { Host, HostThrottle } from '../../domain/host.ts';
import type { MoveId } from '../../domain/ids.ts';
import {
  dialsIn,
  freshScaler,
  hearAlarm,
  scale,
  writeTarget,
  type Dials,
  type HeardAlarm,
  type ScaleScene,
  type ScaleSignal,
  type ScaleTarget,
  type Scaler,
} from '../../domain/scaling.ts';
import { changeFleet } from '../fleet-record.ts';
import type { Services } from '../services.ts';

export type ScalingServices = Pick<Services, 'store' | 'clock' | 'log' | 'meter' | 'settings'>;

/** What scaling looks at. */
export interface Scaled {
  readonly hosts: readonly Host[];
  readonly fleet: Fleet;
}

/**
 * One step of the law for a target, recorded with its reason; then what it decided is set where the dispatcher reads
 * it. Who dies in between leaves that to the next step, which sets it again.
 *
 * @param news of an alarm
 * @returns `late` or `repeated` when the news is no news: then nothing has changed
 */
export async function scaleTarget(
  services: ScalingServices,
  target: ScaleTarget,
  seen: Scaled,
  news?: { readonly signal: ScaleSignal; readonly heard: HeardAlarm },
): Promise<'scaled' | 'late' | 'repeated'> {
  const { store, clock, settings } = services;
  const bounds = settings.scaling[target.kind];
  const name = writeTarget(target);
  for (;;) {
    const now = clock.now();
    const scene: ScaleScene = { now, ...sceneOf(target, seen) };
    const held = await store.load('scaler', { target: name });
    const before = held ?? freshScaler(target, now);
    const hearing = news === undefined ? before : hearAlarm(before, news.signal, news.heard);
    if (hearing === undefined)
      return before.alarms[news?.signal ?? 'wait']?.at === news?.heard.at ? 'repeated' : 'late';
    const after = scale(hearing, bounds, scene);
    if (!isDeepStrictEqual(before, after) || held === undefined) {
      const isWritten =
        held === undefined
          ? (await store.insert('scaler', after)) === 'inserted'
          : (await store.commit('scaler', held, after)).kind === 'committed';
      if (!isWritten) continue;
      tell(services, before, after);
    }
    await turnDials(services, target, dialsIn(after, bounds, scene), scene.ceiling, seen);
    return 'scaled';
  }
}

function sceneOf(target: ScaleTarget, { hosts, fleet }: Scaled): Omit<ScaleScene, 'now'> {
  switch (target.kind) {
    case 'host': {
      const host = hosts.find(({ name }) => name === target.host);
      if (host === undefined) return { ceiling: {}, inUse: 0, strained: [] };
      return {
        ceiling: { out: host.movesOut, in: host.movesIn },
        inUse: Math.max(host.permitsOut.length, host.permitsIn.length),
        strained: strainsOf(host),
      };
    }
    case 'zone':
      return {
        ceiling: { moves: fleet.knobs.movesPerZone },
        inUse: underWay(hosts.filter(({ zone }) => zone === target.zone)),
        strained: [],
      };
    case 'all':
      return { ceiling: { moves: fleet.knobs.movesInAll }, inUse: underWay(hosts), strained: [] };
    default:
      return target satisfies never;
  }
}

const underWay = (hosts: readonly Host[]): number =>
  new Set<MoveId>(hosts.flatMap(({ permitsOut, permitsIn }) => [...permitsOut, ...permitsIn])).size;

/** What its signals say that is not as bad as a failure: fewer moves at once, for as long as they stand. */
export function strainsOf({ signals }: Pick<Host, 'signals'>): readonly string[] {
  return Object.entries(signals).flatMap(([name, signal]) =>
    signal.kind === 'strained' ? [`it is strained: ${name}`] : [],
  );
}

function tell({ log, meter }: ScalingServices, before: Scaler, after: Scaler): void {
  const [decision] = after.decisions;
  if (decision === undefined || decision === before.decisions[0]) return;
  const { direction, from, to, reason } = decision;
  meter.note('ScaleDecisions', 1, { code: direction });
  log.info('permits scaled', { target: after.target, direction, from: { ...from }, to: { ...to }, reason });
}

/** Sets what is in effect where it is read; what is not less than there is anyway is set nowhere. */
async function turnDials(
  services: ScalingServices,
  target: ScaleTarget,
  dials: Dials,
  ceiling: Dials,
  seen: Scaled,
): Promise<void> {
  if (target.kind === 'host') {
    const isFree = dials.out === ceiling.out && dials.in === ceiling.in;
    const throttle = isFree ? undefined : { out: dials.out ?? 0, in: dials.in ?? 0 };
    const host = seen.hosts.find(({ name }) => name === target.host);
    if (host !== undefined && !isDeepStrictEqual(host.throttle, throttle))
      await spare(services, host, throttle);
    return;
  }
  const { moves } = dials;
  const most = ceiling.moves;
  const limit = moves === undefined || moves === most ? undefined : moves;
  const known = target.kind === 'all' ? seen.fleet.throttle?.all : seen.fleet.throttle?.zones[target.zone];
  if (known === limit) return;
  await changeFleet(services, (fleet) => {
    const { all, zones } = fleet.throttle ?? { zones: {} };
    if (target.kind === 'all')
      return { ...fleet, throttle: { zones, ...(limit === undefined ? {} : { all: limit }) } };
    const { [target.zone]: _, ...others } = zones;
    return {
      ...fleet,
      throttle: {
        zones: limit === undefined ? others : { ...others, [target.zone]: limit },
        ...(all === undefined ? {} : { all }),
      },
    };
  });
}

async function spare(
  { store }: ScalingServices,
  { name }: Host,
  throttle: HostThrottle | undefined,
): Promise<void> {
  for (;;) {
    const host = await store.load('host', { name });
    if (host === undefined) return;
    const { throttle: _, ...rest } = host;
    const next: Host = throttle === undefined ? rest : { ...rest, throttle };
    if ((await store.commit('host', host, next)).kind === 'committed') return;
  }
}
