import * as z from 'zod';
import { alarmDefaults } from '../domain/alarm.ts';
import type { ScaleBounds } from '../domain/scaling.ts';
import { readNetwork } from './host-networks.ts';

/** A setting of the environment is missing or is not what it must be. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
}

const milliseconds = z.coerce.number().int().positive();
const url = z.url();
const names = z.string().transform((text) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);

const seconds = z
  .int()
  .positive()
  .transform((value) => value * 1_000);
const bounds = z
  .strictObject({
    least: z.int().positive(),
    most: z.int().positive().default(Number.MAX_SAFE_INTEGER),
    gradient: z.int().positive(),
    stepS: seconds,
    cooldownS: seconds,
  })
  .transform(({ stepS, cooldownS, ...rest }): ScaleBounds => ({
    ...rest,
    stepMs: stepS,
    cooldownMs: cooldownS,
  }));
/** How far and how fast the permits of all, of a zone and of a host are scaled, as JSON. */
const scaling = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'no JSON text' });
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ all: bounds, zone: bounds, host: bounds }));

const loopback = /^https?:\/\/(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::\d+)?(?:\/|$)/;

const environment = z.object({
  STAGE: z.string().min(1),
  INSTALLATION: z.string().regex(/^[a-z0-9]{1,12}$/, { error: 'must be 1 to 12 of a-z and 0-9' }),
  /** Where spans go; `none`: nowhere. */
  TRACE_ENDPOINT: z
    .union([z.literal('none').transform(() => undefined), z.url({ protocol: /^https?$/ })])
    .optional(),
  /** Of moves, how many are told. */
  TRACED_SHARE: z.coerce.number().min(0).max(1).default(1),
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
  TABLE_NAME: z.string().min(1),
  CLAIMS_BUCKET: z.string().min(1),
  MANIFESTS_BUCKET: z.string().min(1),
  ANNOUNCEMENTS_TOPIC_ARN: z.string().startsWith('arn:'),
  NOTIFICATIONS_TOPIC_ARN: z.string().startsWith('arn:'),
  REQUESTS_TOPIC_ARN: z.string().startsWith('arn:'),
  HOST_CHANGES_TOPIC_ARN: z.string().startsWith('arn:'),
  PLAN_QUEUE_URL: url,
  DISPATCH_QUEUE_URL: url,
  TRANSFER_QUEUE_URL: url,
  CUTOVER_QUEUE_URL: url,
  RETIRE_QUEUE_URL: url,
  ROLLBACK_QUEUE_URL: url,
  HOST_SWEEP_QUEUE_URL: url,
  LEASE_MS_TRANSFER: milliseconds,
  LEASE_MS_CUTOVER: milliseconds,
  LEASE_MS_RETIRE: milliseconds,
  LEASE_MS_ROLLBACK: milliseconds,
  SLOW_STORE_MS: milliseconds,
  PATIENCE_MS: milliseconds,
  /** Where hosts may be. */
  HOST_NETWORKS: names.refine((networks) => networks.every((text) => readNetwork(text) !== undefined), {
    error: 'must be networks with commas between them: 10.0.0.0/8,fc00::/7',
  }),
  FRESH_MS: milliseconds,
  /** Only the function that heals is told. */
  HEALING_RETENTION_MS: z.coerce.number().int().nonnegative().optional(),
  /** Names with commas between them: see `AlarmRules`. Only the function that hears alarms is told. */
  ALARM_HOST_DIMENSIONS: names.default([...alarmDefaults.hostDimensions]),
  ALARM_FAILED_SUFFIXES: names.default([...alarmDefaults.failedSuffixes]),
  SCALING: scaling,
  /** A queue delivers a message so often before it sets it aside. */
  MAX_RECEIVES: z.coerce.number().int().positive(),
  /** An invocation is at a safe point this long before the platform would cut it off. */
  DEADLINE_MARGIN_MS: milliseconds.default(1_000),
  AWS_LAMBDA_FUNCTION_NAME: z.string().default('drayage'),
  AWS_ENDPOINT_URL: z.string().optional(),
  AWS_ENDPOINT_URL_DYNAMODB: z.string().optional(),
});

/** What the environment says, checked. */
export interface Config extends z.output<typeof environment> {
  /** The account, the region and the partition that it runs in, as the ARN of an alarm begins with them. */
  readonly alarms: { readonly account: string; readonly arnPrefix: string };
  /** The services are emulated on this machine: the embedded cloud. */
  readonly isEmbedded: boolean;
}

/**
 * The only place that reads the environment.
 * @throws ConfigInvalid naming every variable that is wrong
 */
export function readConfig(variables: Readonly<Record<string, string | undefined>> = process.env): Config {
  const parsed = environment.safeParse(variables);
  if (parsed.success) {
    const { AWS_ENDPOINT_URL_DYNAMODB: own, AWS_ENDPOINT_URL: general } = parsed.data;
    const [, partition = '', , region = '', account = ''] = parsed.data.ANNOUNCEMENTS_TOPIC_ARN.split(':');
    return {
      ...parsed.data,
      alarms: { account, arnPrefix: `arn:${partition}:cloudwatch:${region}:${account}:alarm:` },
      isEmbedded: loopback.test(own ?? general ?? ''),
    };
  }
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ConfigInvalid(
    `The environment is not complete (${faults.join('; ')}). Set these variables as serverless.yml does.`,
  );
}
