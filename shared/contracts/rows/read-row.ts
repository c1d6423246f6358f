import * as z from 'zod';
import { RowUnreadable } from '../../ports/failures.ts';
import { split, unknownIn, withParts } from './beyond.ts';

const anyKey = z.looseObject({ pk: z.string(), sk: z.string() });

/**
 * Parses a row by its schema. Attributes that the schema does not know are a newer release's: they are passed over, and
 * stay in the row whatever this release writes there. Anything else is a failure, which names the row and the attribute.
 *
 * @throws RowUnreadable
 */
export function readRow<Schema extends z.ZodType<object>>(schema: Schema, row: unknown): z.output<Schema> {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const paths = unknownIn(parsed.error);
  if (paths === undefined) refuse(row, parsed.error);
  // What this release knows of a row that a newer one has written.
  const { known, parts } = split(row, paths);
  const again = schema.safeParse(known);
  // What was not known has hidden what else is wrong.
  if (!again.success) refuse(row, again.error);
  return withParts(again.data, parts) ?? refuse(row, parsed.error);
}

function refuse(row: unknown, error: z.core.$ZodError): never {
  const key = anyKey.safeParse(row);
  const name = key.success ? `${key.data.pk} ${key.data.sk}` : 'of unknown key';
  const issue = error.issues.find(({ code }) => code !== 'unrecognized_keys') ?? error.issues[0];
  const where = issue === undefined ? '' : `attribute "${issue.path.join('.')}": ${issue.message}`;
  throw new RowUnreadable(
    `row-unreadable: row ${name}, ${where}; deploy the version that wrote it, or repair the attribute`,
    { cause: error },
  );
}
