-- Names that have to be quoted: spaces, double and single quotes, backslashes, Unicode, a percent sign, words
-- of SQL, 63 bytes.
CREATE SCHEMA "Ünï ""q"" schema";

CREATE TYPE "Ünï ""q"" schema"."mood's" AS ENUM ('so-so', 'it''s "fine"', '');
CREATE TABLE "Ünï ""q"" schema"."select" (
  "order" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "Größe in %s" numeric,
  "a ""b"" c" text DEFAULT 'it''s \ $1 %',
  "mood" "Ünï ""q"" schema"."mood's" NOT NULL DEFAULT '',
  "from" integer REFERENCES "Ünï ""q"" schema"."select"
);
CREATE TABLE "Ünï ""q"" schema"."sixty-three bytes of name, which is as long as names can be 3456" (
  "表" text PRIMARY KEY,
  "🚚" bytea
);
CREATE TABLE "Ünï ""q"" schema"."no key; DROP TABLE x --" (
  "user" text,
  "\\" integer
);
INSERT INTO "Ünï ""q"" schema"."select" ("Größe in %s", "a ""b"" c", "mood", "from")
  SELECT n / 3.0, CASE WHEN n % 2 = 0 THEN E'tab\there, \\N, "quote", line\nend ' || n END,
         (ARRAY['so-so', 'it''s "fine"', ''])[1 + n % 3]::"Ünï ""q"" schema"."mood's", NULLIF(n / 2, 0)
  FROM generate_series(1, greatest(100, current_setting('demo.megabytes')::numeric * 8000)::int) n;
INSERT INTO "Ünï ""q"" schema"."sixty-three bytes of name, which is as long as names can be 3456"
  SELECT repeat('表', n), decode(md5(n::text), 'hex') FROM generate_series(1, 60) n;
INSERT INTO "Ünï ""q"" schema"."no key; DROP TABLE x --" VALUES (NULL, NULL), (NULL, NULL), ('\N', 1), ('', 2);

CREATE INDEX "index ""of"" moods" ON "Ünï ""q"" schema"."select" ("mood", lower("a ""b"" c"));
CREATE VIEW "Ünï ""q"" schema"."group" AS SELECT "order" AS "table", "mood" FROM "Ünï ""q"" schema"."select" WHERE "order" % 2 = 0;
CREATE FUNCTION "Ünï ""q"" schema"."say %I"("p$" text) RETURNS text LANGUAGE sql AS $f$ SELECT 'said ' || "p$" $f$;
COMMENT ON TABLE "Ünï ""q"" schema"."select" IS 'It''s a "reserved" word \ über';
CREATE SEQUENCE "Ünï ""q"" schema"."next ""value""" START 5;
SELECT nextval('"Ünï ""q"" schema"."next ""value"""'), nextval('"Ünï ""q"" schema"."next ""value"""');
