import * as z from 'zod';
import type { Letter } from '../../domain/letter.ts';
import { countField, failureField, timeField } from './fields.ts';
import { readRow } from './read-row.ts';
import { afterPrefix, asRecord, envelope, hourOf, type RowCodec } from './row.ts';

const schema = z.strictObject({
  ...envelope,
  kind: z.literal('letter'),
  message: z.string(),
  queue: z.string(),
  receives: countField,
  failure: z.exactOptional(failureField),
  setAside: z.exactOptional(z.literal(true)),
  at: timeField,
  deed: z.exactOptional(
    z.strictObject({
      kind: z.enum(['redriven', 'discarded']),
      by: z.string(),
      reason: z.string(),
      at: timeField,
    }),
  ),
  listing: z.exactOptional(z.literal('letter')),
  hour: z.exactOptional(z.string()),
  createdAt: z.exactOptional(timeField),
  expiresAt: timeField,
});

/** Letters with which a person has done something, by the hour of that, as the index `byTime` has them. */
export const deedsOfHour = (hour: string): string => `deed#${hour}`;

/** Longer than any queue keeps a message. */
const keptSeconds = 90 * 86_400;

/** What is known of a message that failed. Goes by itself after a while. */
export const letterRow: RowCodec<Pick<Letter, 'message'>, Letter> = {
  kind: 'letter',
  key: ({ message }) => ({ pk: `LETTER#${message}`, sk: 'LETTER' }),
  keyOf: ({ pk }) => ({ message: afterPrefix('LETTER#', pk) }),
  encode: (letter) => ({
    ...letterRow.key(letter),
    ...letter,
    failure: letter.failure === undefined ? undefined : { ...letter.failure },
    deed: letter.deed === undefined ? undefined : { ...letter.deed },
    kind: 'letter',
    // What waits for a person.
    listing: letter.setAside === true && letter.deed === undefined ? 'letter' : undefined,
    hour: letter.deed === undefined ? undefined : deedsOfHour(hourOf(letter.deed.at)),
    createdAt: letter.deed?.at,
    expiresAt: Math.ceil(letter.at / 1_000) + keptSeconds,
  }),
  decode: (row) => {
    const {
      pk: _pk,
      sk: _sk,
      kind: _kind,
      commitId: _commit,
      listing: _listing,
      hour: _hour,
      createdAt: _createdAt,
      expiresAt: _expiresAt,
      ...letter
    } = readRow(schema, row);
    return asRecord<Letter>()(letter);
  },
  kept: [],
};
