import * as z from 'zod';
import type { HostChange, Parsed } from '../../domain/event.ts';
import { bytesField, hostNameField, lineField } from '../fields.ts';
import { parseEvent, reads, type EventContext } from './cloud-event.ts';
import { addressField, hostUrlField } from './host-address.ts';
import { policyField } from './policy.ts';

/** They stand in the host's row, which is written with every permit. */
const mostOptions = 32_768;
const optionsRule = `options of the driver, an object of at most ${String(mostOptions)} bytes as JSON`;

/** `data` of `host.registered`: a host that may hold endpoints. */
const hostRegistered = z
  .strictObject({
    name: hostNameField,
    driver: z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, { error: 'the name of a driver, e.g. "postgres"' }),
    url: hostUrlField,
    replicationAddress: addressField.optional(),
    clientAddress: addressField.optional(),
    secret: z
      .string()
      .regex(/^[A-Za-z0-9/_+=.@:-]{1,512}$/, {
        error: 'the name or ARN of a secret, never the password itself',
      })
      .optional(),
    zone: lineField(100),
    capacityBytes: bytesField.optional(),
    options: z
      .record(z.string(), z.json(), { error: optionsRule })
      .refine((options) => Buffer.byteLength(JSON.stringify(options)) <= mostOptions, { error: optionsRule })
      .default({}),
  })
  .transform(
    ({ name, url, replicationAddress, clientAddress, secret, capacityBytes, ...rest }): HostChange => ({
      kind: 'register',
      host: name,
      url: url.text,
      replicationAddress: replicationAddress ?? url.address,
      clientAddress: clientAddress ?? url.address,
      ...(secret === undefined ? {} : { secret }),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...rest,
    }),
  );

const intent = {
  host: hostNameField,
  /** The publisher's own count. Without one the event's time orders it. */
  sequence: z
    .int({ error: 'a whole number that grows with every event about this host' })
    .nonnegative()
    .optional(),
};
const reason = lineField(500);

/** `data` of `host.cordoned`: nothing new arrives there. */
const hostCordoned = z.strictObject({ ...intent, reason });
/** `data` of `host.uncordoned`: it may receive endpoints again. */
const hostUncordoned = z.strictObject({ ...intent, reason: reason.default('uncordoned') });
/** `data` of `host.draining`: everything on it moves away. */
const hostDraining = z
  .strictObject({ ...intent, reason, target: hostNameField.optional(), policy: policyField })
  .refine(({ host, target }) => host !== target, {
    path: ['target'],
    error: 'A host cannot be drained onto itself.',
    params: { code: 'source-is-target', cure: 'Name another target, or none and let the planner choose.' },
  });

const changesOfIntent =
  (kind: 'cordon' | 'uncordon') =>
  (data: z.output<typeof hostCordoned>, { at }: EventContext): HostChange => ({
    kind,
    host: data.host,
    reason: data.reason,
    sequence: data.sequence ?? at,
  });

const readers = {
  'host.registered': reads(hostRegistered, (change) => change),
  'host.cordoned': reads(hostCordoned, changesOfIntent('cordon')),
  'host.uncordoned': reads(hostUncordoned, changesOfIntent('uncordon')),
  'host.draining': reads(hostDraining, ({ sequence, target, ...rest }, { at }): HostChange => ({
    kind: 'drain',
    ...rest,
    sequence: sequence ?? at,
    ...(target === undefined ? {} : { target }),
  })),
};

/**
 * Reads an event of the `host-changes` topic. Never throws.
 * @param receivedAt epoch milliseconds
 */
export function parseHostChange(text: string, receivedAt: number): Parsed<HostChange> {
  return parseEvent(text, receivedAt, { topic: 'host-changes', readers });
}
