import * as z from 'zod';
import type { Json } from '../../domain/json.ts';
import type { Blobs } from '../../ports/blobs.ts';

/** Rows stay small: what is longer than this travels as a claim check. */
const inlineLimit = 1_000;

const carried = z.union([
  z.object({ value: z.json() }),
  z.object({ check: z.object({ key: z.string(), sha256: z.string(), bytes: z.number() }) }),
]);

/** A small value as it stands in a row. */
export const inRow = (value: Json): Json => ({ value });

/** Makes a value fit for a row: itself if it is small, else a reference to where it is kept. */
export async function pack(blobs: Blobs, value: Json): Promise<Json> {
  if (JSON.stringify(value).length <= inlineLimit) return inRow(value);
  return { check: { ...(await blobs.put(value)) } };
}

/** The value that `pack` was given. @throws StepFailure when it is gone or altered */
export async function unpack(blobs: Blobs, packed: Json): Promise<Json> {
  const holds = carried.parse(packed);
  return 'value' in holds ? holds.value : z.json().parse(await blobs.get(holds.check));
}
