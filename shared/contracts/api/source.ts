import * as z from 'zod';

/**
 * Where in a row a field of an answer comes from. Without one it is the attribute of the field's own name. API
 * Gateway reads rows without any program of ours, so its templates are made from this.
 */
export interface Source {
  /** The attribute's name; of one in a map with the names of the maps before it: `arbitration.kind`. */
  readonly attribute?: string;
  /** Only what stands after so many characters: the name in a key. */
  readonly after?: number;
  /** Only what stands on this side of the first `#`. */
  readonly side?: 'before' | 'after';
  /** JSON text, or a set of texts, where the answer has a value, or a list. */
  readonly form?: 'json' | 'set';
  /** Words of the row that answers have another for. */
  readonly words?: Readonly<Record<string, string>>;
  /** What it means when an earlier release wrote a number where there is a map now; `$number` stands for it. */
  readonly number?: Readonly<Record<string, string>>;
  /** What is answered, as JSON, where the row has none; the row itself may be missing. */
  readonly otherwise?: string;
}

/** The sources of the fields of answers. */
export const sources = z.registry<Source>();

/** A field with its source. */
export const from = <Schema extends z.ZodType>(schema: Schema, source: Source): Schema => {
  // Of its own: the same field may stand elsewhere under its own name.
  const own = schema.clone();
  sources.add(own, source);
  return own;
};
