import * as z from 'zod';

/** What may be bound to a parameter. A bigint travels as its digits, an array as an array of the server. */
export type SqlValue = string | number | bigint | boolean | null | Buffer | readonly SqlValue[];

/** A `bigint` or `numeric` without fraction: the client hands its digits over as text. */
export const bigNumber = z
  .string()
  .regex(/^-?\d+$/)
  .transform((digits) => BigInt(digits));

/** A `bigint` known to stay below 2^53: sizes, counts, milliseconds. */
export const wholeNumber = z
  .union([z.string().regex(/^-?\d+$/), z.number(), z.bigint()])
  .transform((value) => Number(value))
  .pipe(z.int());

/** Columns for `z.object` in the order of a row of the server. */
export const text = z.string();
export const maybeText = z.string().nullable();
export const truth = z.boolean();
export const texts = z.array(z.string());
