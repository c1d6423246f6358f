import * as z from 'zod';
import type { Position } from './rows-query.ts';

/** Where a listing goes on. */
export interface Place {
  /** For listings over all shards: which one. */
  readonly shard?: number;
  readonly after?: Position;
  /** For listings of all shards at once: where each goes on; one that is not named begins. */
  readonly behind?: Readonly<Record<string, Position>>;
}

/** A cursor that did not come from the listing it was handed to. */
export class CursorInvalid extends Error {
  override readonly name = 'CursorInvalid';
  readonly code = 'cursor-invalid';
}

const position = z.record(z.string(), z.union([z.string(), z.number()]));
const placeSchema = z.strictObject({
  shard: z.exactOptional(z.int().nonnegative()),
  after: z.exactOptional(position),
  behind: z.exactOptional(z.record(z.string(), position)),
});

export function writeCursor(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws CursorInvalid */
export function readCursor(cursor: string | undefined): Place {
  if (cursor === undefined) return {};
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw new CursorInvalid(
      'cursor-invalid: the cursor is not one of this listing; begin again without one',
      { cause },
    );
  }
}
