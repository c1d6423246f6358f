/**
 * A database in which everything is awkward at once: names that need quotes, keys that are missing or odd,
 * objects that depend on each other in circles, and every kind of object that a copy could forget.
 */

/** 63 bytes in 57 characters: as long as a name can be. */
export const longestName = `${'ä'.repeat(6)}${'x'.repeat(51)}`;

/** Roles are cluster-wide: made on both servers where a copy should find them. */
export const nastyRoles = `
CREATE ROLE "Own er" LOGIN PASSWORD 'geheim';
CREATE ROLE reader NOLOGIN;
CREATE ROLE "grüppe" NOLOGIN;
GRANT reader TO "grüppe";
`;

export const nastySchema = `
CREATE SCHEMA "we ird";
CREATE SCHEMA "Ünï""code";
CREATE EXTENSION btree_gist WITH SCHEMA public;
CREATE EXTENSION hstore WITH SCHEMA "we ird";
CREATE EXTENSION pg_trgm WITH SCHEMA public;

CREATE TYPE public.mood AS ENUM ('sad', 'it''s "ok"', 'happy');
ALTER TYPE public.mood ADD VALUE 'so-so' BEFORE 'happy';
CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
CREATE DOMAIN public.email AS text CONSTRAINT has_at CHECK (VALUE ~ '@');
CREATE TYPE public.address AS (street text, "house no" int);
CREATE TYPE public.span AS RANGE (subtype = timestamptz);
CREATE SEQUENCE public."odd seq" START 7 INCREMENT 3 CYCLE MAXVALUE 1000;
CREATE SEQUENCE public.untouched START 42;
CREATE COLLATION "we ird"."my C" FROM "C";

CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT $1 * 2; -- a ; comment $$;
CREATE FUNCTION public.atomic_body(a int) RETURNS text LANGUAGE sql
  BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 'a;b' ELSE 'c' END; SELECT 'end;'::text AS last; END;
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF true THEN NEW.touched := 'x'';"$$;'; END IF; -- \\restrict
  RETURN NEW;
END; $body$;
CREATE FUNCTION public.pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE PROCEDURE public.noop() LANGUAGE plpgsql AS 'BEGIN NULL; END;';
CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE FUNCTION public.to_address(int) RETURNS public.address LANGUAGE sql AS 'SELECT ROW(''x'', $1)::public.address';
CREATE CAST (int AS public.address) WITH FUNCTION public.to_address(int);

CREATE TABLE public.customers (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100) PRIMARY KEY,
  "User Name" text NOT NULL COLLATE "we ird"."my C",
  mail public.email,
  feeling public.mood DEFAULT 'happy',
  home public.address,
  seen public.span,
  tags "we ird".hstore,
  prefs jsonb DEFAULT '{"a": ";"}'::jsonb,
  doc json,
  spot point,
  amount money,
  ratio double precision,
  raw bytea,
  at timestamptz DEFAULT '2024-01-01 00:00:00+02',
  days interval,
  touched text,
  total numeric(12,3) GENERATED ALWAYS AS (ratio::numeric * 2) STORED,
  gone int,
  UNIQUE ("User Name"),
  CONSTRAINT "name ok" CHECK (length("User Name") < 1000)
);
ALTER TABLE public.customers DROP COLUMN gone;
ALTER TABLE public.customers ALTER COLUMN prefs SET STORAGE EXTERNAL;
ALTER TABLE public.customers ALTER COLUMN touched SET STATISTICS 500;

CREATE TABLE public."${longestName}" ("${longestName}" int PRIMARY KEY, b text);
CREATE TABLE "Ünï""code"."quo""ted ta.ble" ("co""l" text, "order" int, PRIMARY KEY ("order", "co""l"));
CREATE TABLE public.no_key (a int, b text);
CREATE TABLE public.no_key_json (a int, b json);
CREATE TABLE public.identity_by_index (a int NOT NULL, b text);
CREATE UNIQUE INDEX identity_index ON public.identity_by_index (a);
ALTER TABLE public.identity_by_index REPLICA IDENTITY USING INDEX identity_index;
CREATE UNLOGGED TABLE public.scratch (a int PRIMARY KEY, b text);
CREATE TABLE public.no_columns ();
CREATE TABLE public.serials (id serial PRIMARY KEY, n smallserial, d date);

CREATE TABLE public.measures (id bigint NOT NULL, at date NOT NULL, v public.positive) PARTITION BY RANGE (at);
CREATE TABLE public.measures_2023 PARTITION OF public.measures FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE public.measures_2024 PARTITION OF public.measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
  PARTITION BY LIST (id);
CREATE TABLE "we ird"."measures 2024 rest" PARTITION OF public.measures_2024 DEFAULT;
CREATE TABLE public.measures_else PARTITION OF public.measures DEFAULT;
ALTER TABLE public.measures ADD PRIMARY KEY (id, at);
CREATE INDEX measures_v ON public.measures (v);

CREATE TABLE public.parent (id int PRIMARY KEY, kind text);
CREATE TABLE public.child (extra text, PRIMARY KEY (id)) INHERITS (public.parent);

CREATE TABLE public.hen (id int PRIMARY KEY, egg int);
CREATE TABLE public.egg (id int PRIMARY KEY, hen int REFERENCES public.hen DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE public.hen ADD FOREIGN KEY (egg) REFERENCES public.egg DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE public.bookings (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
ALTER TABLE public.bookings ADD CONSTRAINT later CHECK (room > -5) NOT VALID;

CREATE INDEX customers_trgm ON public.customers USING gin ("User Name" public.gin_trgm_ops);
CREATE INDEX customers_expr ON public.customers (public.twice(length("User Name"))) WHERE feeling <> 'sad';
CREATE INDEX customers_seen ON public.customers (at DESC NULLS LAST) INCLUDE (id);
ALTER TABLE public.customers CLUSTER ON customers_seen;
CREATE STATISTICS public.customers_stats (dependencies) ON feeling, touched FROM public.customers;

CREATE VIEW public.happy AS SELECT id, "User Name", public.twice(1) AS two FROM public.customers WHERE feeling = 'happy';
CREATE VIEW public.grouped AS SELECT c.id, c."User Name", count(*) FROM public.customers c JOIN public.hen h ON h.id = c.id GROUP BY c.id;
CREATE VIEW public.checked WITH (security_barrier) AS SELECT * FROM public.no_key WHERE a > 0 WITH LOCAL CHECK OPTION;
CREATE MATERIALIZED VIEW public.summary AS SELECT feeling, count(*) AS n FROM public.customers GROUP BY feeling;
CREATE UNIQUE INDEX summary_feeling ON public.summary (feeling);
CREATE MATERIALIZED VIEW "we ird"."sum of summary" AS SELECT sum(n) FROM public.summary;
CREATE MATERIALIZED VIEW public.never_filled AS SELECT 1 AS one WITH NO DATA;
CREATE MATERIALIZED VIEW public.late_mat AS SELECT id, count FROM public.grouped;
CREATE INDEX late_mat_id ON public.late_mat (id);
CREATE RULE no_delete AS ON DELETE TO public.no_key_json DO INSTEAD NOTHING;
CREATE RULE two_things AS ON UPDATE TO public.no_key_json DO ALSO (SELECT 1; SELECT 2);

CREATE TRIGGER touch_it BEFORE INSERT OR UPDATE OF touched ON public.customers FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE TRIGGER always_on BEFORE INSERT ON public.customers FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE public.customers ENABLE ALWAYS TRIGGER always_on;
CREATE TRIGGER off BEFORE INSERT ON public.customers FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE public.customers DISABLE TRIGGER off;
CREATE CONSTRAINT TRIGGER "con;straint" AFTER INSERT ON public.hen DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.pass();

ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.no_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.no_key FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON public.customers FOR SELECT TO reader USING ("User Name" = current_user);

COMMENT ON TABLE public.customers IS 'It''s; a -- comment
over lines';
COMMENT ON COLUMN public.customers."User Name" IS 'ünï $$ code';
COMMENT ON INDEX public.customers_expr IS 'an index';
COMMENT ON CONSTRAINT customers_pkey ON public.customers IS 'a key';
COMMENT ON TRIGGER touch_it ON public.customers IS 'a trigger';
COMMENT ON CONSTRAINT has_at ON DOMAIN public.email IS 'a domain';

GRANT SELECT ON public.customers TO reader;
GRANT UPDATE ("User Name") ON public.customers TO "grüppe" WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION public.atomic_body(int) FROM PUBLIC;
GRANT USAGE ON SCHEMA "we ird" TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "Own er" IN SCHEMA public GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE "Own er" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER TABLE public.customers OWNER TO "Own er";
ALTER TABLE public.hen OWNER TO "Own er";
ALTER SCHEMA "we ird" OWNER TO "Own er";
ALTER FUNCTION public.touch() OWNER TO "Own er";
`;

export const nastyRows = `
INSERT INTO public.customers ("User Name", mail, feeling, home, seen, tags, doc, spot, amount, ratio, raw, days)
SELECT 'näme ' || i, 'a' || i || '@b', (ARRAY['sad', 'so-so', 'happy']::public.mood[])[1 + i % 3],
       ROW('street, "x"', i)::public.address, public.span('2024-01-01', '2024-02-01'), 'a=>1,b=>NULL',
       '{"k": [1, 2]}', point(i, -i), i::text::money, i / 3.0, decode(lpad(to_hex(i), 8, '0'), 'hex'), make_interval(secs => i)
  FROM generate_series(1, 3000) i;
INSERT INTO public."${longestName}" SELECT i, repeat('x', i % 50) FROM generate_series(1, 500) i;
INSERT INTO "Ünï""code"."quo""ted ta.ble" SELECT 'ü' || i, i % 10 FROM generate_series(1, 500) i;
INSERT INTO public.no_key SELECT i % 7, CASE WHEN i % 5 > 0 THEN 'b' || i % 3 END FROM generate_series(1, 400) i;
INSERT INTO public.no_key_json SELECT i, '{"a": 1}' FROM generate_series(1, 100) i;
INSERT INTO public.identity_by_index SELECT i, 'x' FROM generate_series(1, 100) i;
INSERT INTO public.scratch SELECT i, 'unlogged' FROM generate_series(1, 50) i;
INSERT INTO public.serials (d) SELECT date '2024-01-01' + i FROM generate_series(1, 40) i;
INSERT INTO public.measures SELECT i, date '2022-06-01' + i, 1 + i % 9 FROM generate_series(1, 1500) i;
INSERT INTO public.parent SELECT i, 'p' FROM generate_series(1, 20) i;
INSERT INTO public.child SELECT i, 'c', 'e' FROM generate_series(100, 130) i;
BEGIN;
INSERT INTO public.hen SELECT i, i FROM generate_series(1, 30) i;
INSERT INTO public.egg SELECT i, i FROM generate_series(1, 30) i;
COMMIT;
INSERT INTO public.bookings SELECT i, tsrange('2024-01-01', '2024-01-02') FROM generate_series(1, 20) i;
SELECT nextval('public."odd seq"'), nextval('public."odd seq"');
REFRESH MATERIALIZED VIEW public.summary;
REFRESH MATERIALIZED VIEW "we ird"."sum of summary";
SELECT lo_from_bytea(4242, decode(repeat('00ff41', 100000), 'hex')), lo_from_bytea(0, '\\x');
ALTER LARGE OBJECT 4242 OWNER TO "Own er";
GRANT SELECT ON LARGE OBJECT 4242 TO reader;
ANALYZE;
`;
