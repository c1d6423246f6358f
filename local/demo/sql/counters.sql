-- Sequences with odd settings, an unlogged table, storage parameters, a clustered index, inheritance.
CREATE SCHEMA counters;

CREATE SEQUENCE counters.down AS integer INCREMENT BY -3 MINVALUE -1000000 MAXVALUE 30 START WITH 30;
CREATE SEQUENCE counters.round AS smallint MINVALUE 1 MAXVALUE 5 CYCLE;
CREATE SEQUENCE counters.cached CACHE 20;
CREATE SEQUENCE counters.never_used START WITH 42;
CREATE SEQUENCE counters.set_by_hand;
SELECT nextval('counters.down') FROM generate_series(1, 4);
SELECT nextval('counters.round') FROM generate_series(1, 7);
SELECT nextval('counters.cached');
SELECT setval('counters.set_by_hand', 77, false);

CREATE TABLE counters.measure (
  id integer DEFAULT nextval('counters.down') PRIMARY KEY,
  wide text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.4);
CREATE INDEX measure_wide ON counters.measure (md5(wide));
ALTER TABLE counters.measure CLUSTER ON measure_pkey;
CREATE TABLE counters.precise_measure (
  error numeric,
  PRIMARY KEY (id)
) INHERITS (counters.measure);
CREATE UNLOGGED TABLE counters.cache (
  key text PRIMARY KEY,
  value bytea
);
INSERT INTO counters.measure (wide)
  SELECT md5(n::text) FROM generate_series(1, greatest(50, current_setting('demo.megabytes')::numeric * 4600)::int) n;
INSERT INTO counters.precise_measure (wide, error) SELECT 'precise ' || n, n / 9.0 FROM generate_series(1, 50) n;
INSERT INTO counters.cache (key, value) SELECT 'k' || n, decode(md5(n::text), 'hex') FROM generate_series(1, 200) n;
