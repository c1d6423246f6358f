import * as z from 'zod';
import {
  batchId,
  endpointName,
  hostName,
  labelPattern,
  moveId,
  namePattern,
  nameRule,
} from '../domain/ids.ts';

/**
 * Fields that occur in several contracts. The message of each rule completes the sentence "it must be …", and
 * that is how a refusal says it.
 */
export const batchIdField = z
  .string()
  .regex(/^bt_[0-9a-z]{20}$/, { error: 'the id of a batch: "bt_" and 20 letters or digits' })
  .transform((text) => batchId(text));

export const moveIdField = z
  .string()
  .regex(/^mv_[0-9a-z]{16}$/, { error: 'the id of a move: "mv_" and 16 letters or digits' })
  .transform((text) => moveId(text));

const name = z.string().regex(namePattern, { error: `a name that ${nameRule}` });

export const endpointNameField = name.transform((text) => endpointName(text));
export const hostNameField = name.transform((text) => hostName(text));

const lineRule = (most: number): string => `a line of 1 to ${String(most)} characters`;

/** One line of text for people. */
export const lineField = (most: number) =>
  z
    .string()
    .trim()
    .min(1, { error: lineRule(most) })
    .max(most, { error: lineRule(most) });

/** A count of bytes that is exact in a double. */
export const bytesField = z
  .int({ error: 'a whole number of bytes' })
  .nonnegative({ error: 'a whole number of bytes' });

/** A moment, as text. */
export const timeField = z.iso.datetime({
  offset: true,
  error: 'a time as in RFC 3339, e.g. "2026-01-31T12:00:00Z"',
});

const labelRule =
  'up to 20 labels; keys of letters, digits, ".", "_", "/" or "-" (at most 63), values at most 100 characters';

export const labelsField = z
  .record(z.string().regex(labelPattern, { error: labelRule }), z.string().max(100, { error: labelRule }))
  .refine((labels) => Object.keys(labels).length <= 20, { error: labelRule });
