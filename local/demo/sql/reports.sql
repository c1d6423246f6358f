-- Views on views, a recursive one, materialized views with indexes (one of them never filled).
CREATE SCHEMA reports;

CREATE TABLE reports.fact (
  day date NOT NULL,
  unit integer NOT NULL,
  turnover numeric NOT NULL,
  PRIMARY KEY (day, unit)
);
INSERT INTO reports.fact (day, unit, turnover)
  SELECT date '2020-01-01' + n / 60, n % 60, (n::bigint * 7919 % 100003) / 13.0
  FROM generate_series(0, greatest(600, current_setting('demo.megabytes')::numeric * 12600)::int) n;

CREATE MATERIALIZED VIEW reports.by_month AS
  SELECT date_trunc('month', day)::date AS month, unit, sum(turnover) AS turnover, count(*) AS days
  FROM reports.fact GROUP BY 1, 2;
CREATE UNIQUE INDEX by_month_key ON reports.by_month (month, unit);
CREATE MATERIALIZED VIEW reports.by_year AS
  SELECT date_trunc('year', month)::date AS year, sum(turnover) AS turnover FROM reports.by_month GROUP BY 1;
CREATE MATERIALIZED VIEW reports.not_filled AS SELECT count(*) FROM reports.fact WITH NO DATA;

CREATE RECURSIVE VIEW reports.unit_tree (unit, parent, depth) AS
  SELECT 0, NULL::integer, 0 UNION ALL SELECT t.unit + 1, t.unit, t.depth + 1 FROM unit_tree t WHERE t.unit < 9;
CREATE VIEW reports.best AS
  SELECT DISTINCT ON (m.month) m.month, m.unit, t.depth
  FROM reports.by_month m LEFT JOIN reports.unit_tree t USING (unit) ORDER BY m.month, m.turnover DESC;
CREATE RULE no_delete AS ON DELETE TO reports.fact WHERE OLD.unit = 0 DO INSTEAD NOTHING;
COMMENT ON MATERIALIZED VIEW reports.by_month IS 'Refreshed each night';
