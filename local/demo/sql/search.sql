-- Texts to search: extensions, GIN and GiST indexes, hstore and citext columns, full text.
CREATE SCHEMA search;
CREATE SCHEMA extensions;
CREATE EXTENSION pg_trgm WITH SCHEMA extensions;
CREATE EXTENSION hstore WITH SCHEMA extensions;
CREATE EXTENSION citext;

CREATE TABLE search.document (
  id uuid PRIMARY KEY,
  slug citext NOT NULL UNIQUE,
  title text NOT NULL,
  body text NOT NULL,
  attributes extensions.hstore,
  words tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || body)) STORED
);
INSERT INTO search.document (id, slug, title, body, attributes)
  SELECT md5(n::text)::uuid, 'Doc-' || n, 'On ' || md5((n % 300)::text),
         repeat(md5(n::text) || ' falls on ' || (n % 91) || E' plains\n', 4),
         extensions.hstore(ARRAY['lang', 'n'], ARRAY[(ARRAY['de', 'fr', NULL])[1 + n % 3], n::text])
  FROM generate_series(1, greatest(50, current_setting('demo.megabytes')::numeric * 1000)::int) n;

CREATE INDEX document_words ON search.document USING gin (words);
CREATE INDEX document_title ON search.document USING gin (title extensions.gin_trgm_ops);
CREATE INDEX document_attributes ON search.document USING gist (attributes);
