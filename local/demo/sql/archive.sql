-- Files: large objects with comments and grants, bytea out of line, and a log without a primary key.
CREATE SCHEMA archive;

CREATE TABLE archive.file (
  id integer PRIMARY KEY,
  title text NOT NULL,
  content oid NOT NULL,
  thumbnail bytea
);
ALTER TABLE archive.file ALTER COLUMN thumbnail SET STORAGE EXTERNAL;
INSERT INTO archive.file (id, title, content, thumbnail)
  SELECT n, 'file ' || n || '.bin',
         lo_from_bytea(0, decode(repeat(md5(n::text), 300 + n * 10), 'hex')),
         decode(repeat(md5(n::text), 400), 'hex')
  FROM generate_series(1, 24) n;
-- One object that no table names, and one that is empty.
SELECT lo_from_bytea(0, '\xdeadbeef'), lo_create(0);

CREATE TABLE archive.access_log (
  at timestamptz NOT NULL,
  file_id integer,
  who inet,
  line text NOT NULL
);
ALTER TABLE archive.access_log REPLICA IDENTITY FULL;
INSERT INTO archive.access_log (at, file_id, who, line)
  SELECT timestamptz '2025-01-01 00:00+00' + n * interval '1 second', 1 + n % 24, ('10.1.0.' || n % 250)::inet, md5(n::text)
  FROM generate_series(1, greatest(50, current_setting('demo.megabytes')::numeric * 9000)::int) n;
-- Two rows that nothing tells apart.
INSERT INTO archive.access_log SELECT * FROM archive.access_log ORDER BY at LIMIT 3;
