-- Measurements: partitions by month, of which one is partitioned again by region, and a default partition.
CREATE SCHEMA telemetry;

CREATE TABLE telemetry.reading (
  device integer NOT NULL,
  region text NOT NULL,
  taken_at timestamptz NOT NULL,
  value double precision,
  raw bytea,
  PRIMARY KEY (taken_at, region, device)
) PARTITION BY RANGE (taken_at);
CREATE TABLE telemetry.reading_2024_01 PARTITION OF telemetry.reading
  FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2024-02-01 00:00+00') PARTITION BY LIST (region);
CREATE TABLE telemetry.reading_2024_01_eu PARTITION OF telemetry.reading_2024_01 FOR VALUES IN ('eu', 'uk');
CREATE TABLE telemetry.reading_2024_01_rest PARTITION OF telemetry.reading_2024_01 DEFAULT;
CREATE TABLE telemetry.reading_2024_02 PARTITION OF telemetry.reading
  FOR VALUES FROM ('2024-02-01 00:00+00') TO ('2024-03-01 00:00+00');
-- Attached later, with its columns in another order.
CREATE TABLE telemetry.reading_2024_03 (
  value double precision,
  taken_at timestamptz NOT NULL,
  dropped_soon integer,
  raw bytea,
  region text NOT NULL,
  device integer NOT NULL
);
ALTER TABLE telemetry.reading_2024_03 DROP COLUMN dropped_soon;
ALTER TABLE telemetry.reading ATTACH PARTITION telemetry.reading_2024_03
  FOR VALUES FROM ('2024-03-01 00:00+00') TO ('2024-04-01 00:00+00');
CREATE TABLE telemetry.reading_other PARTITION OF telemetry.reading DEFAULT;

INSERT INTO telemetry.reading (device, region, taken_at, value, raw)
  SELECT n % 997, (ARRAY['eu', 'uk', 'us', 'ap'])[1 + n % 4],
         timestamptz '2023-12-31 00:00+00' + n * (interval '95 days' / greatest(200, current_setting('demo.megabytes')::numeric * 7700)::int),
         CASE WHEN n % 100 = 0 THEN 'NaN' ELSE sqrt(n) END,
         CASE WHEN n % 3 = 0 THEN decode(md5(n::text) || md5((n + 1)::text), 'hex') END
  FROM generate_series(1, greatest(200, current_setting('demo.megabytes')::numeric * 7700)::int) n;

CREATE INDEX reading_device ON telemetry.reading (device, taken_at);
CREATE INDEX reading_taken_at ON telemetry.reading_2024_02 USING brin (taken_at);
CREATE STATISTICS telemetry.device_region (dependencies, ndistinct) ON device, region FROM telemetry.reading_2024_02;
