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

export const policyField = z.strictObject({
  roles: z.enum(['require', 'copy']),
  pauseBudgetMs: durationField,
  lagLimitBytes: countField,
  retentionMs: durationField,
  offline: z.enum(['refuse', 'allow']),
});
