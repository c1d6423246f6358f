import * as z from 'zod';
import type { HostChange, Parsed } from '../../domain/event.ts';
import type { Profile } from '../../domain/host.ts';
import { bytesField, hostNameField, labelsField, lineField, timeField } from '../fields.ts';
import { isAlarm, readAlarm } from './alarm.ts';
import { parseEvent, reads, type DataReader, type EventContext, type Foreign } from './cloud-event.ts';
import { addressField, hostUrlField } from './host-address.ts';
import { policyField } from './policy.ts';

/** They stand in the host's row, which is written with every permit. */
const mostOptions = 32_768;
const optionsRule = `options of the driver, an object of at most ${String(mostOptions)} bytes as JSON`;

const secretField = z.string().regex(/^[A-Za-z0-9/_+=.@:-]{1,512}$/, {
  error: 'the name or ARN of a secret, never the password itself',
});

/** A host that may hold nothing is said in another way. */
const capacityField = bytesField.refine((bytes) => bytes > 0, {
  error: 'A host with a capacity of zero could hold nothing.',
  params: {
    code: 'capacity-zero',
    cure: 'Give its capacity in bytes, or leave it out if nobody knows it; to let nothing arrive there, publish host.cordoned.',
  },
});

/** `data` of `host.registered`: a host that may hold endpoints. */
const hostRegistered = z
  .strictObject({
    name: hostNameField,
    driver: z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, { error: 'the name of a driver, e.g. "postgres"' }),
    url: hostUrlField,
    replicationAddress: addressField.optional(),
    clientAddress: addressField.optional(),
    secret: secretField.optional(),
    zone: lineField(100),
    capacityBytes: capacityField.optional(),
    labels: labelsField.optional(),
    options: z
      .record(z.string(), z.json(), { error: optionsRule })
      .refine((options) => Buffer.byteLength(JSON.stringify(options)) <= mostOptions, { error: optionsRule })
      .default({}),
  })
  .transform(
    ({
      name,
      url,
      replicationAddress,
      clientAddress,
      secret,
      capacityBytes,
      labels,
      ...rest
    }): HostChange => ({
      kind: 'register',
      host: name,
      url: url.text,
      replicationAddress: replicationAddress ?? url.address,
      clientAddress: clientAddress ?? url.address,
      ...(secret === undefined ? {} : { secret }),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(labels === undefined ? {} : { labels }),
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
/** `data` of `host.removed`: it is taken away, and nothing is on it any more. */
const hostRemoved = z.strictObject({ ...intent, reason });
/** `data` of `host.draining`: everything on it moves away. */
const hostDraining = z
  .strictObject({
    ...intent,
    reason,
    target: hostNameField.optional(),
    deadline: timeField.optional(),
    policy: policyField,
  })
  .refine(({ host, target }) => host !== target, {
    path: ['target'],
    error: 'A host cannot be drained onto itself.',
    params: { code: 'source-is-target', cure: 'Name another target, or none and let the planner choose.' },
  });

/** What of a host may be changed while it is in use. */
const profileFields = {
  url: hostUrlField.transform(({ text }) => text).optional(),
  replicationAddress: addressField.optional(),
  clientAddress: addressField.optional(),
  secret: secretField.optional(),
  zone: lineField(100).optional(),
  capacityBytes: capacityField.optional(),
  labels: labelsField.optional(),
} as const satisfies Record<keyof Profile, unknown>;

/** `data` of `host.changed`: parts of what was registered are otherwise now. */
const hostChanged = z
  .strictObject({ ...intent, ...profileFields })
  .refine(({ host: _, sequence: __, ...parts }) => Object.values(parts).some((part) => part !== undefined), {
    error: 'Nothing is changed.',
    params: {
      code: 'change-missing',
      cure: `Give at least one of ${Object.keys(profileFields).join(', ')}.`,
    },
  });

const alarmPrefix = 'alarm:';
const signalRule = 'the name of a signal: letters, digits, ".", "_" or "-", at most 60';
const signalField = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/, { error: signalRule });
/** A person may say that an alarm is over that will never say so itself: of one that was deleted, say. */
const anySignalField = z.union([signalField, lineField(300).refine((name) => name.startsWith(alarmPrefix))], {
  error: `${signalRule}; or that of an alarm, "${alarmPrefix}" and its name`,
});

const word = { host: hostNameField, at: timeField.optional(), reason: reason.optional() };
/** Unless it says of what. */
const reported = 'reported';
/** `data` of `host.failed`: something is wrong with it. */
const hostFailed = z.strictObject({ ...word, signal: signalField.default(reported) });
/** `data` of `host.recovered`: that is over. */
const hostRecovered = z.strictObject({ ...word, signal: anySignalField.default(reported) });

/** `data` of each type of event that the topic takes. */
export const hostChangeContracts = {
  'host.registered': hostRegistered,
  'host.changed': hostChanged,
  'host.cordoned': hostCordoned,
  'host.uncordoned': hostUncordoned,
  'host.draining': hostDraining,
  'host.failed': hostFailed,
  'host.recovered': hostRecovered,
  'host.removed': hostRemoved,
} as const;

const changesOfIntent =
  (kind: 'cordon' | 'uncordon' | 'remove') =>
  (data: z.output<typeof hostCordoned>, { at }: EventContext): HostChange => ({
    kind,
    host: data.host,
    reason: data.reason,
    sequence: data.sequence ?? at,
  });

const changesOfHealth =
  (kind: 'fail' | 'recover') =>
  ({ host, signal, at, reason: why }: z.output<typeof hostFailed>, context: EventContext): HostChange => ({
    kind,
    host,
    signal,
    // A clock that is ahead must not put off what others say afterwards.
    at: at === undefined ? context.at : Math.min(Date.parse(at), context.receivedAt),
    ...(why === undefined ? {} : { reason: why }),
  });

function changeOfProfile(
  { host, sequence, ...parts }: z.output<typeof hostChanged>,
  { at }: EventContext,
): HostChange {
  const { url, replicationAddress, clientAddress, secret, zone, capacityBytes, labels } = parts;
  return {
    kind: 'change',
    host,
    sequence: sequence ?? at,
    profile: {
      ...(url === undefined ? {} : { url }),
      ...(replicationAddress === undefined ? {} : { replicationAddress }),
      ...(clientAddress === undefined ? {} : { clientAddress }),
      ...(secret === undefined ? {} : { secret }),
      ...(zone === undefined ? {} : { zone }),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(labels === undefined ? {} : { labels }),
    },
  };
}

const readDrain = reads(
  hostDraining,
  ({ sequence, target, deadline, ...rest }, { at }): Extract<HostChange, { readonly kind: 'drain' }> => ({
    kind: 'drain',
    ...rest,
    sequence: sequence ?? at,
    ...(target === undefined ? {} : { target }),
    ...(deadline === undefined ? {} : { deadline: Date.parse(deadline) }),
  }),
);

/** Of a drain that was late when it was asked for nobody can say by when it is meant. */
const drainInTime: DataReader<HostChange> = (data, context) => {
  const outcome = readDrain(data, context);
  if ('refusal' in outcome || (outcome.event.deadline ?? Infinity) > context.at) return outcome;
  return {
    refusal: {
      code: 'deadline-passed',
      field: 'data.deadline',
      sentence: 'The deadline had passed when the event was sent.',
      cure: 'Give a time to come, or leave it out.',
    },
  };
};

const readers = {
  'host.registered': reads(hostRegistered, (change) => change),
  'host.changed': reads(hostChanged, changeOfProfile),
  'host.cordoned': reads(hostCordoned, changesOfIntent('cordon')),
  'host.uncordoned': reads(hostUncordoned, changesOfIntent('uncordon')),
  'host.draining': drainInTime,
  'host.failed': reads(hostFailed, changesOfHealth('fail')),
  'host.recovered': reads(hostRecovered, changesOfHealth('recover')),
  'host.removed': reads(hostRemoved, changesOfIntent('remove')),
};

/** CloudWatch publishes its alarms in a form of its own. */
function alarmIn(value: unknown, receivedAt: number): Foreign<HostChange> | undefined {
  if (!isAlarm(value)) return undefined;
  const read = readAlarm(value, receivedAt);
  return read.kind === 'event' ? { ...read, event: { kind: 'alarm', alarm: read.event } } : read;
}

/**
 * Reads an event of the `host-changes` topic, or an alarm of CloudWatch. Never throws.
 * @param receivedAt epoch milliseconds
 */
export function parseHostChange(text: string, receivedAt: number): Parsed<HostChange> {
  return parseEvent(text, receivedAt, { topic: 'host-changes', readers, foreign: alarmIn });
}
