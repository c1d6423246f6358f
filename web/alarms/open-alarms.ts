import { scaleSignals } from '../../shared/domain/scaling.ts';
import type { AlarmsNow, ScalingTarget } from './alarms-source.ts';

/** Something that hurts, or waits too long, now. */
export interface OpenAlarm {
  readonly about: string;
  /** The host that it is about, if it is about one. */
  readonly host?: string;
  readonly what: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly follows: string;
}

const followsSignal = {
  failed: 'nothing goes there, and what it holds is moved away once the grace period is over (knob healing)',
  strained: 'it has half of its permits, and gets them back one by one when it is well',
} as const;
const followsAlarm = {
  wait: 'more permits, step by step',
  lag: 'half of its permits',
  latency: 'half of its permits',
} as const;

/** Signals of hosts and alarms that scale, those that have been open for longest first. */
export function openAlarmsIn({ hosts, targets }: Pick<AlarmsNow, 'hosts' | 'targets'>): OpenAlarm[] {
  const signals = hosts.flatMap(({ host, signals: open }) =>
    Object.entries(open).map(([name, { kind, since, reason }]): OpenAlarm => ({
      ...{ about: host, host, since, follows: followsSignal[kind] },
      what: `${kind}: ${name}${reason === undefined ? '' : ` (${reason})`}`,
    })),
  );
  const alarms = targets.flatMap(({ target, alarms: heard }) =>
    scaleSignals.flatMap((signal): OpenAlarm[] => {
      const { state, at, name } = heard[signal] ?? {};
      if (state !== 'alarm' || at === undefined) return [];
      const host = target.startsWith('host/') ? { host: target.slice('host/'.length) } : {};
      return [
        {
          about: target,
          ...host,
          what: `${signal}: ${name ?? ''}`,
          since: at,
          follows: followsAlarm[signal],
        },
      ];
    }),
  );
  return [...signals, ...alarms].toSorted((one, other) => one.since - other.since);
}

type Decision = ScalingTarget['decisions'][number] & Pick<ScalingTarget, 'target'>;

/** The decisions about all targets, the newest first. */
export const decisionsIn = (targets: readonly ScalingTarget[]): Decision[] =>
  targets
    .flatMap(({ target, decisions }) => decisions.map((each) => ({ target, ...each })))
    .toSorted((one, other) => other.at - one.at);

/** `4 out, 2 in`, or `150 moves`. */
export const permitsText = ({ out, in: into, moves }: ScalingTarget['permits']): string =>
  [
    ...(out === undefined ? [] : [`${String(out)} out`]),
    ...(into === undefined ? [] : [`${String(into)} in`]),
    ...(moves === undefined ? [] : [`${String(moves)} moves`]),
  ].join(', ');
