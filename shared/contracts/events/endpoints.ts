import * as z from 'zod';
import type { ChangedWishes, RequestEvent } from '../../domain/event.ts';
import { namePattern } from '../../domain/ids.ts';
import type { Group } from '../../domain/placement.ts';
import { bytesField, endpointNameField, hostNameField, labelsField, lineField } from '../fields.ts';

const databaseRule = 'the name of the database on its host, of 1 to 200 bytes';

const groupRule = 'the name of a group, or {"name","spread"} with a spread of "hosts" or "zones"';
const groupName = z.string().regex(namePattern, { error: groupRule });
/** Anti-affinity: kept apart by hosts, unless zones are asked for. */
const groupField = z
  .union(
    [groupName, z.strictObject({ name: groupName, spread: z.enum(['hosts', 'zones']).default('hosts') })],
    {
      error: groupRule,
    },
  )
  .transform((group): Group => (typeof group === 'string' ? { name: group, spread: 'hosts' } : group));
const zonesRule = 'a list of 1 to 20 zones';
const zonesField = z
  .array(lineField(100))
  .min(1, { error: zonesRule })
  .max(20, { error: zonesRule })
  .transform((zones) => [...new Set(zones)]);

/** `data` of `endpoint.registered`: an endpoint that exists already, and where. */
export const endpointRegistered = z
  .strictObject({
    name: endpointNameField,
    host: hostNameField,
    // As the host has it: a name may begin or end with a space.
    database: z
      .string()
      .min(1, { error: databaseRule })
      .refine((name) => Buffer.byteLength(name) <= 200, { error: databaseRule }),
    sizeBytes: bytesField.default(0),
    labels: labelsField.default({}),
    group: groupField.optional(),
    zones: zonesField.optional(),
    pin: hostNameField.optional(),
  })
  .transform(({ name, host, database, labels, sizeBytes, group, zones, pin }): RequestEvent => ({
    kind: 'register-endpoint',
    endpoint: name,
    host,
    database,
    wishes: {
      labels,
      sizeBytes,
      ...(group === undefined ? {} : { group }),
      ...(zones === undefined ? {} : { zones }),
      ...(pin === undefined ? {} : { pin }),
    },
  }));

/** `data` of `endpoint.changed`: what is said of it anew; the rest stays. */
export const endpointChanged = z
  .strictObject({
    name: endpointNameField,
    /** The publisher's own count. Without one the event's time orders it. */
    sequence: z
      .int({ error: 'a whole number that grows with every change of this endpoint' })
      .nonnegative()
      .optional(),
    labels: labelsField.optional(),
    sizeBytes: bytesField.optional(),
    group: groupField.nullable().optional(),
    zones: zonesField.nullable().optional(),
    pin: hostNameField.nullable().optional(),
  })
  .refine(
    ({ name: _, sequence: __, ...wishes }) => Object.values(wishes).some((wish) => wish !== undefined),
    {
      error: 'Nothing is changed.',
      params: {
        code: 'change-missing',
        cure: 'Give at least one of labels, sizeBytes, group, zones or pin.',
      },
    },
  )
  .transform(({ name, sequence, labels, sizeBytes, group, zones, pin }) => {
    const wishes: ChangedWishes = {
      ...(labels === undefined ? {} : { labels }),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(group === undefined ? {} : { group }),
      ...(zones === undefined ? {} : { zones }),
      ...(pin === undefined ? {} : { pin }),
    };
    return { endpoint: name, sequence, wishes };
  });
