/** `portable` facts count in both digests, `exact` ones only in the exact one. */
export interface Fact {
  readonly counts: 'portable' | 'exact';
  readonly sql: string;
}

const userSchema = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])`;
const notMember = (catalog: string, alias: string): string =>
  `NOT EXISTS (SELECT FROM member WHERE member.classid = '${catalog}'::regclass AND member.objid = ${alias}.oid)`;

/**
 * Grants in a form that forgets who granted and how the list was ordered; the default counts as if written
 * out. MAINTAIN exists from 17 on only.
 */
const grants = (kind: string, list: string, owner: string): string => `
  (SELECT string_agg(concat(pg_get_userbyid(nullif(x.grantee, 0)), '=', x.privilege_type, x.is_grantable), ','
                     ORDER BY concat(pg_get_userbyid(nullif(x.grantee, 0)), '=', x.privilege_type, x.is_grantable) COLLATE "C")
     FROM aclexplode(coalesce(${list}, acldefault('${kind}', ${owner}))) x WHERE x.privilege_type <> 'MAINTAIN')`;

const relation = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;
const userRelation = `${userSchema} AND c.relpersistence <> 't' AND ${notMember('pg_class', 'c')}`;
const called = `n.nspname, c.relname`;

/** Objects that count by what they are and what they are called; seldom made, never changed in passing. */
const genericCatalogs = [
  ...['pg_cast', 'pg_operator', 'pg_opclass', 'pg_opfamily', 'pg_conversion', 'pg_collation', 'pg_ts_config'],
  ...['pg_ts_dict', 'pg_ts_parser', 'pg_ts_template', 'pg_foreign_data_wrapper', 'pg_foreign_server'],
  ...['pg_statistic_ext', 'pg_language', 'pg_transform', 'pg_am'],
];

/** Replica identities are left out: a move sets them itself. So are publications, subscriptions and rows. */
export const facts = (): Fact[] => [
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'schema', n.nspname, pg_get_userbyid(n.nspowner), ${grants('n', 'n.nspacl', 'n.nspowner')})
            FROM pg_namespace n WHERE ${userSchema} AND ${notMember('pg_namespace', 'n')}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'relation', ${called}, c.relkind, c.relpersistence, c.relispartition,
                 pg_get_userbyid(c.relowner), coalesce(am.amname, ''), coalesce(ts.spcname, ''), c.relrowsecurity, c.relforcerowsecurity,
                 array_to_string(c.reloptions, ','), c.reloftype::regtype,
                 (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
                 ${grants('r', 'c.relacl', 'c.relowner')})
            FROM ${relation} LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'partition', ${called}, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid))
            FROM ${relation} WHERE (c.relispartition OR c.relkind = 'p') AND c.relkind IN ('r', 'p', 'f') AND ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'column', ${called}, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
                 format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attgenerated, a.attidentity,
                 a.attstorage, a.attcompression, nullif(a.attstattarget, -1), array_to_string(a.attoptions, ','),
                 a.attislocal, nullif(a.attcollation, t.typcollation)::regcollation,
                 CASE WHEN a.attacl IS NOT NULL THEN ${grants('c', 'a.attacl', 'c.relowner')} END)
            FROM ${relation} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type t ON t.oid = a.atttypid
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'default', ${called}, a.attname, pg_get_expr(d.adbin, d.adrelid))
            FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum WHERE ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'constraint', ${called}, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated,
                 (SELECT string_agg(a.attname, ',' ORDER BY x.place) FROM unnest(k.conkey) WITH ORDINALITY x(num, place)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num), k.confrelid::regclass,
                 k.confupdtype, k.confdeltype)
            FROM pg_constraint k JOIN ${relation} ON c.oid = k.conrelid
           WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') AND NOT (k.conparentid <> 0 AND k.contype = 'f') AND ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'constraint text', ${called}, k.conname, pg_get_constraintdef(k.oid))
            FROM pg_constraint k JOIN ${relation} ON c.oid = k.conrelid
           WHERE k.contype <> 't' AND NOT (k.conparentid <> 0 AND k.contype = 'f') AND ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'index', ${called}, i.indexrelid::regclass, i.indisunique, i.indisprimary, i.indisexclusion,
                 i.indisclustered, i.indnkeyatts, i.indnatts, i.indpred IS NOT NULL, i.indexprs IS NOT NULL, am.amname,
                 array_to_string(x.reloptions, ','), coalesce(ts.spcname, ''),
                 (SELECT h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = x.oid))
            FROM pg_index i JOIN ${relation} ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
            JOIN pg_am am ON am.oid = x.relam LEFT JOIN pg_tablespace ts ON ts.oid = x.reltablespace
           WHERE (i.indisvalid OR x.relkind = 'I') AND ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'index text', ${called}, i.indexrelid::regclass, pg_get_indexdef(i.indexrelid))
            FROM pg_index i JOIN ${relation} ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
           WHERE (i.indisvalid OR x.relkind = 'I') AND ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'trigger', ${called}, t.tgname, t.tgenabled, t.tgtype, t.tgdeferrable, t.tginitdeferred, t.tgfoid::regprocedure)
            FROM pg_trigger t JOIN ${relation} ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'trigger text', ${called}, pg_get_triggerdef(t.oid))
            FROM pg_trigger t JOIN ${relation} ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'rule', ${called}, r.rulename, r.ev_type, r.ev_enabled, r.is_instead)
            FROM pg_rewrite r JOIN ${relation} ON c.oid = r.ev_class WHERE ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'rule text', ${called}, r.rulename, pg_get_ruledef(r.oid))
            FROM pg_rewrite r JOIN ${relation} ON c.oid = r.ev_class WHERE ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'policy', ${called}, p.polname, p.polcmd, p.polpermissive,
                 (SELECT string_agg(pg_get_userbyid(nullif(o, 0))::text, ',' ORDER BY pg_get_userbyid(nullif(o, 0))::text COLLATE "C") FROM unnest(p.polroles) o))
            FROM pg_policy p JOIN ${relation} ON c.oid = p.polrelid WHERE ${userRelation}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'policy text', ${called}, p.polname, pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid))
            FROM pg_policy p JOIN ${relation} ON c.oid = p.polrelid WHERE ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'sequence', ${called}, pg_get_userbyid(c.relowner), s.seqtypid::regtype, s.seqstart, s.seqincrement,
                 s.seqmax, s.seqmin, s.seqcache, s.seqcycle, c.relpersistence,
                 (SELECT concat(d.refobjid::regclass, d.deptype) FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
                 ${grants('s', 'c.relacl', 'c.relowner')})
            FROM pg_sequence s JOIN ${relation} ON c.oid = s.seqrelid WHERE ${userRelation}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'function', n.nspname, p.oid::regprocedure, p.prokind, pg_get_userbyid(p.proowner), l.lanname, p.provolatile,
                 p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, p.proretset, p.prorettype::regtype,
                 array_to_string(p.proconfig, ','), md5(p.prosrc), p.probin, p.proargnames::text, p.pronargdefaults,
                 a.aggtransfn, a.aggfinalfn, a.aggtranstype::regtype, a.agginitval, ${grants('f', 'p.proacl', 'p.proowner')})
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
            LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE ${userSchema} AND ${notMember('pg_proc', 'p')}`,
  },
  {
    counts: 'exact',
    sql: `SELECT concat_ws('|', 'function text', p.oid::regprocedure, pg_get_function_arguments(p.oid), pg_get_function_sqlbody(p.oid))
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE (p.prosqlbody IS NOT NULL OR p.pronargdefaults > 0) AND ${userSchema} AND ${notMember('pg_proc', 'p')}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'type', n.nspname, t.typname, t.typtype, pg_get_userbyid(t.typowner), nullif(t.typbasetype, 0)::regtype,
                 t.typnotnull, nullif(t.typcollation, 0)::regcollation, t.typdefault,
                 (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
                 (SELECT r.rngsubtype::regtype FROM pg_range r WHERE r.rngtypid = t.oid),
                 (SELECT string_agg(concat(k.conname, k.convalidated), ',' ORDER BY k.conname)
                    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), ${grants('T', 't.typacl', 't.typowner')})
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
           WHERE t.typcategory <> 'A' AND (t.typrelid = 0 OR c.relkind = 'c') AND ${userSchema} AND ${notMember('pg_type', 't')}`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'extension', e.extname, n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'default privileges', pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype,
                 (SELECT string_agg(concat(pg_get_userbyid(nullif(x.grantee, 0)), '=', x.privilege_type, x.is_grantable), ','
                         ORDER BY concat(pg_get_userbyid(nullif(x.grantee, 0)), '=', x.privilege_type, x.is_grantable) COLLATE "C")
                    FROM aclexplode(d.defaclacl) x WHERE x.privilege_type <> 'MAINTAIN'))
            FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'event trigger', e.evtname, e.evtevent, e.evtenabled, e.evtfoid::regprocedure, array_to_string(e.evttags, ','))
            FROM pg_event_trigger e WHERE ${notMember('pg_event_trigger', 'e')}`,
  },
  ...genericCatalogs.map((catalog): Fact => ({
    counts: 'portable',
    sql: `SELECT concat_ws('|', o.type, o.identity) FROM ${catalog} x, pg_identify_object('${catalog}'::regclass, x.oid, 0) o
             WHERE x.oid >= 16384 AND coalesce(o.schema, '') <> ALL ($1::text[]) AND ${notMember(catalog, 'x')}`,
  })),
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'options', o.type, o.identity, array_to_string(x.options, ','))
            FROM (SELECT 'pg_foreign_server'::regclass AS catalog, oid, srvoptions AS options FROM pg_foreign_server
                  UNION ALL SELECT 'pg_class'::regclass, ftrelid, ftoptions FROM pg_foreign_table) x,
                 pg_identify_object(x.catalog, x.oid, 0) o`,
  },
  {
    counts: 'portable',
    sql: `SELECT concat_ws('|', 'comment', o.type, o.identity, md5(d.description))
            FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
           WHERE d.objoid >= 16384 AND coalesce(o.schema, '') <> ALL ($1::text[])
             AND d.classoid NOT IN ('pg_largeobject'::regclass, 'pg_extension'::regclass)
             AND NOT EXISTS (SELECT FROM member WHERE member.classid = d.classoid AND member.objid = d.objoid)`,
  },
];
