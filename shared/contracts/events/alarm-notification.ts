import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { EventHead, Parsed, Refusal } from '../../domain/event.ts';
import { isHostName } from '../../domain/ids.ts';
import type { ScaleSignal, ScaleTarget } from '../../domain/scaling.ts';
import { lineField } from '../fields.ts';
import { refusalOf } from './refusal.ts';
import { readUntrusted } from './untrusted-json.ts';

/** News of an alarm of ours, as the autoscaler takes it. */
export interface AlarmNews {
  /** The alarm's name. */
  readonly name: string;
  readonly signal: ScaleSignal;
  readonly target: ScaleTarget;
  readonly state: 'alarm' | 'ok';
  /** Epoch milliseconds: when the alarm changed its state. */
  readonly at: number;
}

/** Whose alarms are listened to. */
export interface AlarmOwner {
  readonly stage: string;
  readonly account: string;
  /** What the ARN of each alarm of this stage's account and region begins with: `arn:aws:cloudwatch:…:alarm:`. */
  readonly arnPrefix: string;
}

const line = lineField(300);
const changeTime = z
  .string()
  // CloudWatch writes the offset without a colon.
  .transform((text) => Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2')))
  .refine((at) => Number.isSafeInteger(at) && at >= 0, {
    error: 'the time of the change, as CloudWatch writes it',
  });

/** What CloudWatch publishes to a topic when an alarm changes its state, as far as it is read. */
const notification = z.object({
  AlarmName: line,
  AlarmArn: line,
  AWSAccountId: z.string().regex(/^\d{12}$/, { error: 'an account id' }),
  NewStateValue: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']),
  StateChangeTime: changeTime,
  Trigger: z.object({
    MetricName: line,
    Namespace: line,
    Dimensions: z.array(z.object({ name: line, value: line })).max(30),
  }),
});
type Notification = z.output<typeof notification>;

/** The metric on which each signal is raised. */
const metricOf: Readonly<Record<ScaleSignal, string>> = {
  wait: 'OldestAdmissibleMs',
  lag: 'ReplicationLagMs',
  latency: 'HostLatencyMs',
};

/** Clocks differ; what is further ahead would put off everything that is true. */
const aheadMs = 60_000;

/**
 * Reads a notification of an alarm. Never throws. The name says what it is about:
 * `drayage-<stage>-scale-<signal>`, then nothing, `-zone-<zone>` or `-host-<host>`; ARN, account, metric and dimensions
 * have to say the same.
 *
 * @param receivedAt epoch milliseconds
 */
export function parseAlarm(text: string, receivedAt: number, owner: AlarmOwner): Parsed<AlarmNews> {
  const bodyHash = createHash('sha256').update(text).digest('hex');
  // No publisher's source has spaces in it.
  const head: EventHead = {
    source: 'scale signals',
    id: bodyHash.slice(0, 32),
    type: 'alarm',
    bodyHash,
  };
  const read = readUntrusted(text);
  if (read.kind === 'refused') return { kind: 'refused', head, refusal: read.refusal };
  const parsed = notification.safeParse(read.value);
  if (!parsed.success) return { kind: 'refused', head, refusal: refusalOf(parsed.error, read.value) };
  const told = parsed.data;
  const about = aboutOf(told.AlarmName, owner.stage);
  if (about === undefined) return { kind: 'refused', head, refusal: unknownAlarm(owner.stage) };
  const forged = forgedField(told, about, owner);
  if (forged !== undefined) return { kind: 'refused', head, refusal: forgery(forged) };
  if (told.StateChangeTime > receivedAt + aheadMs) return { kind: 'refused', head, refusal: ahead };
  return {
    kind: 'event',
    head,
    event: {
      name: told.AlarmName,
      ...about,
      // Without data nothing says that it still holds.
      state: told.NewStateValue === 'ALARM' ? 'alarm' : 'ok',
      at: told.StateChangeTime,
    },
  };
}

type About = Pick<AlarmNews, 'signal' | 'target'>;

function aboutOf(name: string, stage: string): About | undefined {
  const prefix = `drayage-${stage}-scale-`;
  if (!name.startsWith(prefix)) return undefined;
  const { signal, kind, of } =
    /^(?<signal>wait|lag|latency)(?:-(?<kind>zone|host)-(?<of>.+))?$/.exec(name.slice(prefix.length))
      ?.groups ?? {};
  if (signal === undefined) return undefined;
  if (signal === 'wait' && kind === undefined) return { signal, target: { kind: 'all' } };
  if (signal === 'wait' && kind === 'zone' && of !== undefined) return { signal, target: { kind, zone: of } };
  if (kind !== 'host' || of === undefined || !isHostName(of)) return undefined;
  if (signal !== 'wait' && signal !== 'lag' && signal !== 'latency') return undefined;
  return { signal, target: { kind, host: of } };
}

/** The first field that says otherwise than the name. */
function forgedField(told: Notification, { signal, target }: About, owner: AlarmOwner): string | undefined {
  if (told.AlarmArn !== `${owner.arnPrefix}${told.AlarmName}`) return 'AlarmArn';
  if (told.AWSAccountId !== owner.account) return 'AWSAccountId';
  if (told.Trigger.Namespace !== 'Drayage') return 'Trigger.Namespace';
  if (told.Trigger.MetricName !== metricOf[signal]) return 'Trigger.MetricName';
  const expected = {
    service: 'drayage',
    stage: owner.stage,
    ...(target.kind === 'all' ? {} : target.kind === 'zone' ? { zone: target.zone } : { host: target.host }),
  };
  const dimensions = Object.fromEntries(told.Trigger.Dimensions.map(({ name, value }) => [name, value]));
  const isSame =
    told.Trigger.Dimensions.length === Object.keys(expected).length &&
    Object.entries(expected).every(([name, value]) => dimensions[name] === value);
  return isSame ? undefined : 'Trigger.Dimensions';
}

const unknownAlarm = (stage: string): Refusal => ({
  code: 'alarm-unknown',
  field: 'AlarmName',
  sentence: 'No alarm of this name scales anything here.',
  cure: `Name it drayage-${stage}-scale-wait, -scale-wait-zone-<zone>, or -scale-<wait|lag|latency>-host-<host>.`,
});

const forgery = (field: string): Refusal => ({
  code: 'alarm-forged',
  field,
  sentence: `The field ${field} says otherwise than the name of the alarm.`,
  cure: 'Find out who publishes it; alarms of this stack say the same in every field.',
});

const ahead: Refusal = {
  code: 'alarm-ahead',
  field: 'StateChangeTime',
  sentence: 'The alarm says that it changed at a time that has not come.',
  cure: 'Set the clock of who publishes it.',
};
