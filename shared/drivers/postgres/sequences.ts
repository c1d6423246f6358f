import * as z from 'zod';
import type { Session } from './connection.ts';
import { quoteLiteral, quoteQualified } from './identifiers.ts';
import { bigNumber, text, truth } from './values.ts';

/** Where a sequence stands: the next value is `last`, or the one after it if it `isCalled`. */
export interface SequenceState {
  readonly schema: string;
  readonly name: string;
  readonly last: bigint;
  readonly isCalled: boolean;
}

const state = z
  .object({ schema: text, name: text, last: bigNumber, called: truth })
  .transform(({ schema, name, last, called }) => ({ schema, name, last, isCalled: called }));

/** A statement of the server grows with each sequence: more than this go in several. */
const atOnce = 200;

/**
 * Reads where all these sequences stand: a few milliseconds; before 18, one statement for each 200. Replication
 * does not carry them, so they are read while the source is frozen and written on the target.
 */
export async function readSequences(
  session: Session,
  sequences: readonly { readonly schema: string; readonly name: string }[],
): Promise<SequenceState[]> {
  if (session.major >= 18) {
    return await session.query(
      `SELECT s.schema, s.name, d.last_value AS last, d.is_called AS called
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS s(schema, name, quoted, place),
              pg_get_sequence_data(s.quoted::regclass) AS d ORDER BY s.place`,
      [
        sequences.map(({ schema }) => schema),
        sequences.map(({ name }) => name),
        sequences.map(({ schema, name }) => quoteQualified(schema, name)),
      ],
      state,
    );
  }
  const states: SequenceState[] = [];
  for (let from = 0; from < sequences.length; from += atOnce) {
    const parts = sequences.slice(from, from + atOnce).map(
      ({ schema, name }) =>
        `SELECT ${quoteLiteral(schema)}::text AS schema, ${quoteLiteral(name)}::text AS name,
                  last_value AS last, is_called AS called FROM ${quoteQualified(schema, name)}`,
    );
    states.push(...(await session.query(parts.join('\nUNION ALL\n'), [], state)));
  }
  return states;
}

/** Sets all of them in one statement, exactly as they stood. @throws PostgresFailure when one is missing */
export async function writeSequences(target: Session, states: readonly SequenceState[]): Promise<void> {
  if (states.length === 0) return;
  await target.execute(
    `SELECT setval(s.name::regclass, s.last, s.called)
       FROM unnest($1::text[], $2::bigint[], $3::boolean[]) AS s(name, last, called)`,
    [
      states.map(({ schema, name }) => quoteQualified(schema, name)),
      states.map(({ last }) => last),
      states.map(({ isCalled }) => isCalled),
    ],
  );
}

/** The sequences that stand elsewhere on the target than on the source. */
export function differingSequences(
  source: readonly SequenceState[],
  target: readonly SequenceState[],
): SequenceState[] {
  const key = ({ schema, name, last, isCalled }: SequenceState): string =>
    JSON.stringify([schema, name, last.toString(), isCalled]);
  const there = new Set(target.map(key));
  return source.filter((one) => !there.has(key(one)));
}
