/**
 * The only place where names and values become SQL text. Everything that is not a bind parameter passes
 * through here, so a name with quotes, spaces, Unicode or 63 bytes is as good as any other.
 */

/** A quoted identifier, whatever the name holds. @throws RangeError on NUL, which no identifier can hold */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw new RangeError('an identifier cannot hold a NUL character');
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A string literal that means the same whatever `standard_conforming_strings` says. */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new RangeError('a string literal cannot hold a NUL character');
  const doubled = value.replaceAll("'", "''");
  return value.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/** One value of a libpq connection string (`key=value`): quoted, backslashes and quotes escaped. */
export function quoteConninfoValue(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Names are cut at 63 bytes by the server, silently: measure before relying on one. */
export const maxNameBytes = 63;

/** Does the server take `name` whole? */
export function fitsName(name: string): boolean {
  return Buffer.byteLength(name, 'utf8') <= maxNameBytes;
}
