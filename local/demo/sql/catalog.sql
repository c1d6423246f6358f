-- Every object of the current database and what is set on it, a line each, in words that do not depend on
-- oids: two databases with the same lines have the same schema, owners, grants and settings. To be run with an
-- empty search_path, so that every name is qualified.
WITH own_namespace AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relation AS (
  SELECT c.*, c.oid::regclass::text AS name FROM pg_class c JOIN own_namespace n ON n.oid = c.relnamespace
), extension_member AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), grants AS (
  SELECT 'schema' AS kind, nspname::text AS name, coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM own_namespace
  UNION ALL
  SELECT 'relation', name, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
    FROM relation WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
  SELECT 'column', r.name || '.' || a.attname, a.attacl FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc p JOIN own_namespace n ON n.oid = p.pronamespace
  UNION ALL
  SELECT 'default of ' || d.defaclrole::regrole || ' in ' || d.defaclnamespace::regnamespace, d.defaclobjtype::text, d.defaclacl FROM pg_default_acl d
  UNION ALL
  SELECT 'database', 'this', coalesce(datacl, acldefault('d', datdba)) FROM pg_database WHERE datname = current_database()
)
SELECT concat_ws(' ', 'grant', kind, name, grantee, string_agg(privilege, ', ' ORDER BY privilege)) AS line
  FROM (
    SELECT g.kind, g.name, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END AS grantee,
           x.privilege_type || CASE WHEN x.is_grantable THEN ' *' ELSE '' END AS privilege
    FROM grants g, aclexplode(g.acl) x
  ) explained GROUP BY kind, name, grantee
UNION ALL
SELECT concat_ws(' ', 'database', datdba::regrole, pg_encoding_to_char(encoding), datcollate, datctype, 'limit', datconnlimit,
                 'open', datallowconn, shobj_description(oid, 'pg_database'))
  FROM pg_database WHERE datname = current_database()
UNION ALL
SELECT concat_ws(' ', 'setting', setrole::regrole, setting)
  FROM pg_db_role_setting, unnest(setconfig) setting
  WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole) FROM own_namespace
UNION ALL
SELECT concat_ws(' ', 'extension', extname, extversion, extnamespace::regnamespace) FROM pg_extension
UNION ALL
SELECT concat_ws(' ', 'relation', relkind, name, relowner::regrole, relpersistence, 'identity', relreplident,
                 'row security', relrowsecurity, relforcerowsecurity, 'filled', relispopulated, reloptions,
                 pg_get_expr(relpartbound, oid), pg_get_partkeydef(oid))
  FROM relation WHERE relkind <> 'i' AND relkind <> 'I' AND relkind <> 't'
UNION ALL
SELECT concat_ws(' ', 'column', r.name, row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), quote_ident(a.attname),
                 format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                 'identity' || nullif(a.attidentity::text, ''), 'generated' || nullif(a.attgenerated::text, ''),
                 pg_get_expr(d.adbin, d.adrelid), 'storage', a.attstorage, 'local', a.attislocal,
                 CASE WHEN a.attcollation > 0 THEN a.attcollation::regcollation END)
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p', 'v', 'm', 'c')
UNION ALL
SELECT concat_ws(' ', 'constraint', r.name, quote_ident(o.conname), o.convalidated, pg_get_constraintdef(o.oid))
  FROM pg_constraint o JOIN relation r ON r.oid = o.conrelid WHERE o.contype <> 'n'
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid, 'clustered', i.indisclustered, 'identity', i.indisreplident)
  FROM pg_index i JOIN relation r ON r.oid = i.indrelid WHERE r.relkind <> 't'
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT concat_ws(' ', 'rule', pg_get_ruledef(w.oid), w.ev_enabled) FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT concat_ws(' ', 'view', name, pg_get_viewdef(oid)) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' ', 'policy', r.name, quote_ident(p.polname), p.polcmd, p.polpermissive,
                 (SELECT array_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END ORDER BY role::regrole::text) FROM unnest(p.polroles) role),
                 pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
UNION ALL
SELECT concat_ws(' ', 'function', p.proowner::regrole, pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN own_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM extension_member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid)
UNION ALL
SELECT concat_ws(' ', 'sequence', q.seqrelid::regclass, q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle, d.refobjid::regclass, d.refobjsubid)
  FROM pg_sequence q LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
UNION ALL
SELECT concat_ws(' ', 'type', t.typtype, t.oid::regtype, t.typowner::regrole,
                 (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
                 CASE WHEN t.typtype = 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault) END,
                 (SELECT string_agg(pg_get_constraintdef(o.oid), ' ' ORDER BY o.conname) FROM pg_constraint o WHERE o.contypid = t.oid AND o.contype = 'c'),
                 (SELECT concat_ws(' ', g.rngsubtype::regtype, g.rngmultitypid::regtype) FROM pg_range g WHERE g.rngtypid = t.oid))
  FROM pg_type t JOIN own_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r', 'm', 'c') AND NOT EXISTS (SELECT FROM extension_member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)
UNION ALL
SELECT concat_ws(' ', 'collation', c.oid::regcollation, c.collprovider, c.collisdeterministic) FROM pg_collation c JOIN own_namespace n ON n.oid = c.collnamespace
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid)) FROM pg_statistic_ext s
UNION ALL
SELECT concat_ws(' ', 'inherits', inhrelid::regclass, inhparent::regclass, inhseqno) FROM pg_inherits
UNION ALL
SELECT concat_ws(' ', 'comment', i.type, i.identity, d.description)
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
  WHERE d.objoid >= 16384 AND NOT EXISTS (SELECT FROM extension_member m WHERE m.classid = d.classoid AND m.objid = d.objoid)
UNION ALL
SELECT concat_ws(' ', 'publication', pubname) FROM pg_publication
UNION ALL
SELECT concat_ws(' ', 'event trigger', evtname) FROM pg_event_trigger;
