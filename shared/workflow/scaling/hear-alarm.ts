import type { Parsed, Refusal } from '../../domain/event.ts';
import type { ScaleSignal, ScaleTarget } from '../../domain/scaling.ts';
import { everyHost } from '../every-host.ts';
import { readFleet } from '../fleet-record.ts';
import { recordRefusal } from '../requests/record-request.ts';
import type { Services } from '../services.ts';
import { scaleTarget, type Scaled } from './scale-target.ts';

type HearingServices = Pick<
  Services,
  'store' | 'views' | 'bus' | 'clock' | 'chance' | 'log' | 'meter' | 'tracer' | 'settings'
>;

/** News of an alarm. */
interface News {
  readonly name: string;
  readonly signal: ScaleSignal;
  readonly target: ScaleTarget;
  readonly state: 'alarm' | 'ok';
  readonly at: number;
}

/**
 * Takes the news of an alarm: notes its state and makes the first step of what follows. While the alarm lasts the
 * sweep makes the others. News that is unknown, forged, late or told before is refused, counted and kept, and changes
 * nothing.
 */
export async function hearOfAlarm(services: HearingServices, parsed: Parsed<News>): Promise<void> {
  const { meter, clock, bus } = services;
  const refuse = async (refusal: Refusal): Promise<void> => {
    meter.note('ScaleSignalsRefused', 1, { code: refusal.code });
    await recordRefusal({ ...services, clock }, parsed.head, refusal);
  };
  if (parsed.kind === 'refused') {
    await refuse(parsed.refusal);
    return;
  }
  const { name, signal, target, state, at } = parsed.event;
  const [hosts, fleet] = await Promise.all([everyHost(services), readFleet(services)]);
  if (!isThere(target, { hosts, fleet })) {
    await refuse(unknownTarget);
    return;
  }
  const answer = await scaleTarget(
    services,
    target,
    { hosts, fleet },
    { signal, heard: { state, at, name } },
  );
  if (answer === 'scaled') await bus.sendDispatch({});
  else await refuse(answer === 'late' ? late : repeated);
}

function isThere(target: ScaleTarget, { hosts }: Scaled): boolean {
  if (target.kind === 'all') return true;
  return hosts.some(({ name, zone }) =>
    target.kind === 'host' ? name === target.host : zone === target.zone,
  );
}

const unknownTarget: Refusal = {
  code: 'alarm-target-unknown',
  field: 'AlarmName',
  sentence: 'There is no host or zone of the name that the alarm names.',
  cure: 'Register the host first, or delete its alarms.',
};

const late: Refusal = {
  code: 'alarm-late',
  field: 'StateChangeTime',
  sentence: 'A later change of this alarm has been heard of before.',
  cure: 'Nothing is to be done: the later change counts.',
};

const repeated: Refusal = {
  code: 'alarm-repeated',
  field: 'StateChangeTime',
  sentence: 'This change of the alarm has been heard of before.',
  cure: 'Nothing is to be done: it counts once.',
};
