import type { RequestEvent } from '../../domain/event.ts';
import { turn } from '../../domain/fleet.ts';
import { changeFleet } from '../fleet-record.ts';
import type { Services } from '../services.ts';
import { Refused } from './record-request.ts';

/** Turns a knob of the whole installation. @throws Refused `knob-superseded` when it was turned later already */
export async function turnKnob(
  services: Pick<Services, 'store'>,
  by: string,
  { setting, reason, at }: Extract<RequestEvent, { readonly kind: 'set-knob' }>,
): Promise<void> {
  await changeFleet(services, (fleet) => {
    const turned = turn(fleet, setting, { by, at, reason });
    if (turned !== undefined) return turned;
    const last = fleet.turned[setting.knob];
    throw new Refused({
      code: 'knob-superseded',
      field: 'time',
      sentence: `${setting.knob} was set later already${last === undefined ? '' : `, by ${last.by}: ${last.reason}`}`,
      cure: `look at what it is now (dray knob ${setting.knob}) and set it again if that is not what you want`,
    });
  });
}
