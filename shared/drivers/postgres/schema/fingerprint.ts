import * as z from 'zod';
import type { Session } from '../connection.ts';
import { text, wholeNumber } from '../values.ts';
import { facts } from './facts.ts';

export interface Fingerprint {
  /** Equal when the schemas are equal and both servers are of the same major. */
  readonly exact: string;
  /** Equal across majors as well: without what the server words anew in each major (expressions, view texts). */
  readonly portable: string;
  /** How many facts went in. */
  readonly facts: number;
}

export interface FingerprintOptions {
  /** Schemas of the move itself. */
  readonly ignoreSchemas?: readonly string[];
}

/**
 * A digest of the whole schema, owners, grants and comments included, computed by the server from its
 * catalogs by names: 15 to 60 ms for a hundred tables. Equal before and after: nobody changed the schema.
 */
export async function fingerprint(session: Session, options: FingerprintOptions = {}): Promise<Fingerprint> {
  const lines = facts().map(({ counts, sql }) => {
    const place = sql.indexOf('SELECT') + 'SELECT'.length;
    return `SELECT ${String(counts === 'portable')} AS portable,${sql.slice(place)}`;
  });
  return await session.one(
    `WITH member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
          fact(portable, line) AS (${lines.join('\nUNION ALL\n')})
     SELECT coalesce(md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")), '') AS exact,
            coalesce(md5(string_agg(line, chr(10) ORDER BY line COLLATE "C") FILTER (WHERE portable)), '') AS portable,
            count(*) AS facts FROM fact`,
    [options.ignoreSchemas ?? []],
    z.object({ exact: text, portable: text, facts: wholeNumber }),
  );
}

/** Every catalog whose rows a change of the schema makes, replaces or removes, with its key. */
const watched = [
  ...[
    'class',
    'type',
    'proc',
    'constraint',
    'trigger',
    'rewrite',
    'policy',
    'extension',
    'attrdef',
    'enum',
    'namespace',
  ],
  ...[
    'default_acl',
    'event_trigger',
    'statistic_ext',
    'cast',
    'operator',
    'opclass',
    'opfamily',
    'collation',
    'conversion',
  ],
  ...['ts_config', 'ts_dict', 'foreign_server', 'foreign_data_wrapper', 'language', 'transform'],
]
  .map((catalog): readonly [string, string] => [`pg_${catalog}`, 'oid'])
  .concat([
    ['pg_attribute', 'attrelid'],
    ['pg_index', 'indexrelid'],
    ['pg_sequence', 'seqrelid'],
    ['pg_inherits', 'inhrelid'],
    ['pg_foreign_table', 'ftrelid'],
    ['pg_aggregate', 'aggfnoid::oid'],
    ['pg_description', 'objoid'],
  ]);

/**
 * A quick look whether anybody may have touched the schema since: the same text as before, taken from the
 * same server, means that nothing was made, altered or dropped. Another text may be harmless (a truncated
 * table, a refreshed view): then compare fingerprints. A millisecond or two, so it fits inside a freeze.
 */
export async function schemaPulse(session: Session): Promise<string> {
  const sums = watched.map(
    ([catalog, key]) =>
      `(SELECT concat(count(*), ':', sum(hashint8extended((${key}::bigint << 32) + xmin::text::bigint, 0)))
          FROM pg_catalog.${catalog} WHERE ${key} >= 16384 OR '${catalog}' = 'pg_namespace')`,
  );
  const { pulse } = await session.one(
    `SELECT concat_ws(',', ${sums.join(', ')}) AS pulse`,
    [],
    z.object({ pulse: text }),
  );
  return pulse;
}

/** The facts themselves: to tell which of them differ when two fingerprints do. */
export async function schemaFacts(
  session: Session,
  options: FingerprintOptions & { readonly portableOnly: boolean },
): Promise<string[]> {
  const chosen = facts().filter(({ counts }) => counts === 'portable' || !options.portableOnly);
  const rows = await session.query(
    `WITH member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
          fact(line) AS (${chosen.map(({ sql }) => sql).join('\nUNION ALL\n')})
     SELECT line FROM fact ORDER BY line COLLATE "C"`,
    [options.ignoreSchemas ?? []],
    z.object({ line: text }),
  );
  return rows.map(({ line }) => line);
}
