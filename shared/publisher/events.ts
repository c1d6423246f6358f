import type * as z from 'zod';
import { hostChangeContracts } from '../contracts/events/host-changes.ts';
import { refusalOf } from '../contracts/events/refusal.ts';
import { requestContracts } from '../contracts/events/requests.ts';
import type { Refusal } from '../domain/event.ts';

type Contracts = typeof requestContracts & typeof hostChangeContracts;

/** Every type of event that publishers publish. */
export type EventType = keyof Contracts;
/** What an event of a type says. */
export type DataOf<Type extends EventType> = z.input<Contracts[Type]>;

/** An event that is ready to be published. */
export interface PublisherEvent {
  readonly topic: 'requests' | 'host-changes';
  readonly type: EventType;
  readonly data: unknown;
}

/** An event is not of the form that its type asks for. Nothing has been published. */
export class EventInvalid extends Error {
  override readonly name = 'EventInvalid';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.sentence} ${refusal.cure}`);
    this.refusal = refusal;
  }
}

const contracts: Readonly<Record<EventType, z.ZodType>> = { ...requestContracts, ...hostChangeContracts };

/** A maker of events of a type: it refuses at once what Drayage would refuse for its form. */
const maker =
  <Type extends EventType>(type: Type) =>
  /** @throws EventInvalid with the field, a sentence and the cure */
  (data: DataOf<Type>): PublisherEvent => {
    const read = contracts[type].safeParse(data);
    if (!read.success) throw new EventInvalid(refusalOf(read.error, data, ['data']));
    return { topic: Object.hasOwn(requestContracts, type) ? 'requests' : 'host-changes', type, data };
  };

export const batchMoveRequested = maker('batch-move.requested');
export const endpointRegistered = maker('endpoint.registered');
export const endpointChanged = maker('endpoint.changed');
export const commandRequested = maker('command.requested');
export const knobSet = maker('knob.set');
export const hostRegistered = maker('host.registered');
export const hostChanged = maker('host.changed');
export const hostCordoned = maker('host.cordoned');
export const hostUncordoned = maker('host.uncordoned');
export const hostDraining = maker('host.draining');
export const hostFailed = maker('host.failed');
export const hostRecovered = maker('host.recovered');
export const hostRemoved = maker('host.removed');
