import * as z from 'zod';
import {
  isBatchId,
  isEndpointName,
  isHostName,
  isMoveId,
  type BatchId,
  type EndpointName,
  type HostName,
  type MoveId,
} from '../../domain/ids.ts';
import type { Json } from '../../domain/json.ts';
import type { CutoverWord, Hold, Pausable } from '../../domain/pause.ts';

/** The fields that rows of several kinds share. */
export const batchIdField = z.custom<BatchId>((it) => typeof it === 'string' && isBatchId(it), 'no batch id');
export const moveIdField = z.custom<MoveId>((it) => typeof it === 'string' && isMoveId(it), 'no move id');
export const hostField = z.custom<HostName>((it) => typeof it === 'string' && isHostName(it), 'no host name');
export const endpointField = z.custom<EndpointName>(
  (it) => typeof it === 'string' && isEndpointName(it),
  'no endpoint name',
);

/** Epoch milliseconds. */
export const timeField = z.int().nonnegative();
export const countField = z.int().nonnegative();
/** Milliseconds, also parts of one. */
export const durationField = z.number().nonnegative();

/** Free-form values stand as JSON text: exact for every number and key, and one small attribute. */
export const jsonField = z.string().transform((text, context): Json => {
  try {
    return anyJson.parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'no JSON text' });
    return z.NEVER;
  }
});
const anyJson = z.custom<Json>((it) => it !== undefined);

export const failureField = z.strictObject({
  code: z.string(),
  sentence: z.string(),
  cure: z.string(),
  host: z.exactOptional(z.string()),
  quarantined: z.exactOptional(z.literal(true)),
});

/** Who holds something back, since when, and why. */
export const holdField = z.strictObject({ by: z.string(), at: timeField, reason: z.string() });

export const claimCheckField = z.strictObject({ key: z.string(), sha256: z.string(), bytes: countField });

/** How each move goes; a batch's has more. */
export const policyField = z.strictObject({
  roles: z.enum(['require', 'copy']),
  pauseBudgetMs: durationField,
  lagLimitBytes: countField,
  retentionMs: durationField,
  offline: z.enum(['refuse', 'allow']),
});

/** How a batch goes as a whole too. */
export const batchPolicyField = policyField.extend({
  approval: z.exactOptional(z.literal('required')),
  holdBeforeCutover: z.exactOptional(z.literal(true)),
  start: z.exactOptional(z.literal('manual')),
  startAt: z.exactOptional(timeField),
  window: z.exactOptional(
    z.strictObject({ cron: z.string(), durationMs: durationField, timeZone: z.string() }),
  ),
});

/** What a row has that can be held back. */
export const pauseFields = { paused: z.exactOptional(holdField), resumed: z.exactOptional(holdField) };

export const encodeHold = (hold: Hold | undefined) => (hold === undefined ? undefined : { ...hold });
export const encodePause = ({ paused, resumed }: Pausable) => ({
  paused: encodeHold(paused),
  resumed: encodeHold(resumed),
});

export const cutoverField = z.strictObject({
  kind: z.enum(['held', 'released']),
  by: z.string(),
  at: timeField,
  reason: z.string(),
});

export const encodeCutover = (word: CutoverWord | undefined) =>
  word === undefined ? undefined : { ...word };
