import * as z from 'zod';
import type { Session } from './connection.ts';
import { quoteQualified } from './identifiers.ts';
import { maybeText, text, texts, truth, wholeNumber } from './values.ts';

const column = z.object({
  name: text,
  /** As `format_type` says it, e.g. `character varying(20)`. */
  type: text,
  generated: truth,
  identity: z.enum(['', 'a', 'd']),
  /** False for types such as json, xml and point: rows cannot be found by comparing all columns. */
  equality: truth,
  notNull: truth,
});

const identities = { d: 'default', f: 'full', n: 'nothing', i: 'index' } as const;

const table = z
  .object({
    oid: wholeNumber,
    schema: text,
    name: text,
    owner: text,
    relkind: z.enum(['r', 'p']),
    is_partition: truth,
    unlogged: truth,
    identity: z.enum(['d', 'f', 'n', 'i']),
    primary_key: texts.nullable(),
    key_types: texts.nullable(),
    identity_index: maybeText,
    identifies: truth,
    always_triggers: texts,
    bytes: wholeNumber,
    rows: z.number(),
    extension: maybeText,
    extension_condition: maybeText,
    row_security: truth,
    force_row_security: truth,
    sets_autovacuum: truth,
    columns: z.array(column),
  })
  .transform((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    kind: row.relkind === 'p' ? ('partitioned' as const) : ('table' as const),
    isPartition: row.is_partition,
    unlogged: row.unlogged,
    replicaIdentity: identities[row.identity],
    /** Its columns in the order of the key. */
    primaryKey: row.primary_key,
    primaryKeyTypes: row.key_types,
    identityIndex: row.identity_index,
    /** Can UPDATE and DELETE be replicated as it is? Not without a key, and not by a deferrable one. */
    identifiesRows: row.identifies,
    /** Triggers that fire on replicated changes as well. */
    alwaysTriggers: row.always_triggers,
    /** Heap, TOAST and indexes. */
    sizeBytes: row.bytes,
    /** As the planner believes; -1 when it was never analysed. */
    estimatedRows: row.rows,
    /** Its table is made by an extension; the rows that `condition` selects are ours to carry over. */
    extension:
      row.extension === null ? undefined : { name: row.extension, condition: row.extension_condition ?? '' },
    forcesRowSecurity: row.row_security && row.force_row_security,
    /** Its owner has said whether autovacuum may go over it. */
    setsAutovacuum: row.sets_autovacuum,
    columns: row.columns,
  }));

/** A table of the user: plain, partition, or partitioned (which holds no rows itself). */
export type Table = z.infer<typeof table>;

const materializedView = z.object({ schema: text, name: text, populated: truth });
const named = z.object({ name: text });
const qualified = z.object({ schema: text, name: text });
const extension = z.object({ name: text, version: text, schema: text });

export interface Inventory {
  readonly tables: readonly Table[];
  /** Populated or not, those that others read first: the order in which to refresh. */
  readonly materializedViews: readonly z.infer<typeof materializedView>[];
  readonly sequences: readonly z.infer<typeof qualified>[];
  readonly foreignTables: readonly z.infer<typeof qualified>[];
  readonly extensions: readonly z.infer<typeof extension>[];
  readonly publications: readonly string[];
  readonly eventTriggers: readonly string[];
  readonly largeObjects: { readonly count: number; readonly bytes: number };
}

/** Does it hold rows itself? */
export const holdsRows = (table: Table): boolean => table.kind === 'table';
/** Rows that logical replication carries: logged, not an extension's own. */
export const isReplicated = (table: Table): boolean =>
  holdsRows(table) && !table.unlogged && table.extension === undefined;
export const qualifiedName = ({ schema, name }: { schema: string; name: string }): string =>
  quoteQualified(schema, name);

/** Schemas of users: neither the system's nor those of the move. `$1` is the list to leave out. */
const userSchema = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])`;

/**
 * Types without an equality that replication could use, as the server itself looks for it: a default btree
 * or hash operator class of the type or of one that it is binary-coercible to; arrays by their element,
 * domains by their base, rows by their columns.
 */
const withoutEquality = `
  WITH RECURSIVE bad(oid) AS (
    SELECT t.oid FROM pg_type t
     WHERE t.typtype = 'b' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
       AND NOT EXISTS (
         SELECT FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod
          WHERE c.opcdefault AND m.amname IN ('btree', 'hash')
            AND (c.opcintype = t.oid OR EXISTS (
              SELECT FROM pg_cast k
               WHERE k.castsource = t.oid AND k.casttarget = c.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i')))
    UNION
    SELECT next.oid FROM bad JOIN LATERAL (
      SELECT t.oid FROM pg_type t WHERE t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem = bad.oid
      UNION ALL SELECT t.oid FROM pg_type t WHERE t.typtype = 'd' AND t.typbasetype = bad.oid
      UNION ALL SELECT c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relkind = 'c' AND a.atttypid = bad.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) next ON true
  )`;

const tablesSql = `${withoutEquality},
  cols AS (
    SELECT a.attrelid, json_agg(json_build_object(
             'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
             'generated', a.attgenerated <> '', 'identity', a.attidentity, 'notNull', a.attnotnull,
             'equality', bad.oid IS NULL) ORDER BY a.attnum) AS columns
      FROM pg_attribute a LEFT JOIN bad ON bad.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped
       AND a.attrelid IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                           WHERE c.relkind IN ('r', 'p') AND ${userSchema})
     GROUP BY a.attrelid),
  config AS (
    SELECT e.extname, entry.oid, e.extcondition[entry.place] AS condition
      FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY AS entry(oid, place))
  SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
         c.relkind, c.relispartition AS is_partition, c.relpersistence = 'u' AS unlogged,
         c.relreplident AS identity, ident.relname AS identity_index,
         c.relreplident = 'f' OR (c.relreplident = 'd' AND coalesce(keys.immediate, false))
           OR (c.relreplident = 'i' AND ii.indexrelid IS NOT NULL) AS identifies,
         ARRAY(SELECT t.tgname::text FROM pg_trigger t
                WHERE t.tgrelid = c.oid AND t.tgenabled IN ('A', 'R') AND NOT t.tgisinternal ORDER BY 1) AS always_triggers,
         keys.names AS primary_key, keys.types AS key_types,
         CASE c.relkind WHEN 'r' THEN coalesce(pg_total_relation_size(c.oid), 0) ELSE 0 END AS bytes,
         c.reltuples AS rows, coalesce(config.extname, member.extname) AS extension,
         config.condition AS extension_condition,
         coalesce(c.reloptions::text LIKE '%autovacuum_enabled=%', false) AS sets_autovacuum,
         c.relrowsecurity AS row_security, c.relforcerowsecurity AS force_row_security,
         coalesce(cols.columns, '[]') AS columns
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN cols ON cols.attrelid = c.oid
    LEFT JOIN LATERAL (
      SELECT array_agg(a.attname::text ORDER BY k.place) AS names,
             array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.place) AS types,
             bool_and(i.indimmediate) AS immediate
        FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attnum = k.attnum AND a.attrelid = c.oid
       WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts
    ) keys ON true
    LEFT JOIN pg_index ii ON ii.indrelid = c.oid AND ii.indisreplident
    LEFT JOIN pg_class ident ON ident.oid = ii.indexrelid
    LEFT JOIN config ON config.oid = c.oid
    LEFT JOIN LATERAL (
      SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    ) member ON true
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchema}
   ORDER BY n.nspname, c.relname`;

const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '${catalog}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`;

const relationsSql = (kind: 'S' | 'f'): string => `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = '${kind}' AND c.relpersistence <> 't' AND ${userSchema} AND ${notOfExtension('pg_class', 'c.oid')}
   ORDER BY 1, 2`;

/** Everything that a move has to know of a database's contents. About 0.4 ms a table at thousands of tables. */
export async function readInventory(
  session: Session,
  options: { readonly ignoreSchemas?: readonly string[] } = {},
): Promise<Inventory> {
  const ignored = [options.ignoreSchemas ?? []];
  const tables = await session.query(tablesSql, ignored, table);
  const publications = await session.query(
    'SELECT pubname AS name FROM pg_publication ORDER BY 1',
    [],
    named,
  );
  const eventTriggers = await session.query(
    `SELECT evtname AS name FROM pg_event_trigger t WHERE ${notOfExtension('pg_event_trigger', 't.oid')} ORDER BY 1`,
    [],
    named,
  );
  return {
    tables,
    materializedViews: await readMaterializedViews(session, ignored),
    sequences: await session.query(relationsSql('S'), ignored, qualified),
    foreignTables: await session.query(relationsSql('f'), ignored, qualified),
    extensions: await session.query(
      `SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
         FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 1`,
      [],
      extension,
    ),
    publications: publications.map(({ name }) => name),
    eventTriggers: eventTriggers.map(({ name }) => name),
    largeObjects: await session.one(
      `SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS count,
              pg_relation_size('pg_catalog.pg_largeobject') AS bytes`,
      [],
      z.object({ count: wholeNumber, bytes: wholeNumber }),
    ),
  };
}

/** A materialized view comes after all that it reads, also through ordinary views. */
async function readMaterializedViews(
  session: Session,
  ignored: readonly (readonly string[])[],
): Promise<z.infer<typeof materializedView>[]> {
  return await session.query(
    `WITH RECURSIVE edges AS (
       SELECT DISTINCT r.ev_class AS reader, d.refobjid AS source
         FROM pg_rewrite r
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
         JOIN pg_class s ON s.oid = d.refobjid AND s.relkind IN ('v', 'm')
     ), depth AS (
       SELECT c.oid AS root, c.oid AS at, 0 AS level FROM pg_class c WHERE c.relkind = 'm'
       UNION
       SELECT depth.root, edges.source, depth.level + 1 FROM depth JOIN edges ON edges.reader = depth.at
     )
     SELECT n.nspname AS schema, c.relname AS name, c.relispopulated AS populated
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN (SELECT root, max(level) AS level FROM depth GROUP BY root) deep ON deep.root = c.oid
      WHERE c.relkind = 'm' AND ${userSchema} AND ${notOfExtension('pg_class', 'c.oid')}
      ORDER BY deep.level, 1, 2`,
    [...ignored],
    materializedView,
  );
}
