-- Types of our own: composite, domain, range and multirange, arrays of them; an exclusion constraint; a table
-- that refers to itself; a table without a primary key.
CREATE SCHEMA booking;
CREATE EXTENSION btree_gist WITH SCHEMA booking;

CREATE DOMAIN booking.percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100) NOT NULL;
CREATE TYPE booking.money_in AS (currency char(3), cents bigint);
CREATE TYPE booking.share AS RANGE (subtype = numeric, multirange_type_name = booking.shares);
CREATE COLLATION booking.german (provider = icu, locale = 'de-u-co-phonebk');

CREATE TABLE booking.room (
  id smallint PRIMARY KEY,
  name text COLLATE booking.german NOT NULL,
  part_of smallint REFERENCES booking.room,
  rates booking.money_in[] NOT NULL,
  discount booking.percentage DEFAULT 0
);
CREATE TABLE booking.stay (
  room_id smallint NOT NULL REFERENCES booking.room MATCH FULL,
  during tstzrange NOT NULL,
  guests text[][] NOT NULL,
  paid booking.money_in,
  parts booking.shares,
  desk point,
  id uuid PRIMARY KEY,
  EXCLUDE USING gist (room_id WITH =, during WITH &&)
);
CREATE TABLE booking.remark (
  stay uuid,
  said text
);
INSERT INTO booking.room (id, name, part_of, rates, discount)
  SELECT n, 'Zimmer ' || chr(196 + n % 20) || n, NULLIF(n / 8, 0), ARRAY[ROW('EUR', n * 100)::booking.money_in, NULL, ROW('PLN', NULL)::booking.money_in], n
  FROM generate_series(1, 40) n;
INSERT INTO booking.stay (room_id, during, guests, paid, parts, desk, id)
  SELECT 1 + n % 40, tstzrange('2025-01-01'::timestamptz + n / 40 * interval '1 day', '2025-01-01'::timestamptz + (n / 40 + 1) * interval '1 day'),
         ARRAY[ARRAY['a "quoted" one', NULL], ARRAY[E'back\\slash', md5(n::text)]], ROW('EUR', n)::booking.money_in, booking.shares(booking.share(n, n + 1)), point(n, -n), md5(n::text)::uuid
  FROM generate_series(1, greatest(80, current_setting('demo.megabytes')::numeric * 2600)::int) n;
INSERT INTO booking.remark (stay, said)
  SELECT id, CASE WHEN n % 3 > 0 THEN 'remark ' || n END FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM booking.stay) s WHERE n <= 100;
