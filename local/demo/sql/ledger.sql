-- What live writers write, and what an audit reads afterwards. One call of ledger.write is one transaction's
-- work: five rows in three of four kinds of table; everything in them follows from the writers' counters, so an audit can say for
-- each row whether it has to be there and what it has to hold.
CREATE SCHEMA ledger;

-- One row for each transaction. Nothing forbids a second one with the same number: the audit would find it.
CREATE TABLE ledger.entry (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  writer integer NOT NULL,
  seq bigint NOT NULL,
  amount integer NOT NULL,
  body text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX entry_writer_seq ON ledger.entry (writer, seq);

-- Where each writer stands. The comparison with the number before makes a repeated transaction fail.
CREATE TABLE ledger.counter (
  writer integer PRIMARY KEY,
  seq bigint NOT NULL,
  total numeric NOT NULL,
  attempt bigint NOT NULL
) WITH (fillfactor = 50);

-- No primary key: updated and deleted all the same.
CREATE TABLE ledger.note (
  writer integer NOT NULL,
  seq bigint NOT NULL,
  words text NOT NULL,
  revised boolean NOT NULL DEFAULT false
);
CREATE INDEX note_writer_seq ON ledger.note (writer, seq);

-- Partitioned by state, one part partitioned again: an update moves the row from one partition to another.
CREATE TABLE ledger.task (
  writer integer NOT NULL,
  seq bigint NOT NULL,
  state text NOT NULL,
  payload jsonb NOT NULL,
  PRIMARY KEY (writer, seq, state)
) PARTITION BY LIST (state);
CREATE TABLE ledger.task_open PARTITION OF ledger.task FOR VALUES IN ('open');
CREATE TABLE ledger.task_done PARTITION OF ledger.task FOR VALUES IN ('done') PARTITION BY HASH (writer);
CREATE TABLE ledger.task_done_even PARTITION OF ledger.task_done FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE ledger.task_done_odd PARTITION OF ledger.task_done FOR VALUES WITH (MODULUS 2, REMAINDER 1);

CREATE FUNCTION ledger.words(p_writer integer, p_seq bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT 'writer ' || p_writer || ', line ' || p_seq $$;

-- Writes line p_seq of a writer, once. p_attempt is the writer's own number of this try, so that after a lost
-- answer it recognises its own commit.
CREATE FUNCTION ledger.write(p_writer integer, p_seq bigint, p_amount integer, p_attempt bigint) RETURNS bigint
  LANGUAGE plpgsql
  AS $$
DECLARE
  v_id bigint;
BEGIN
  UPDATE ledger.counter SET seq = p_seq, total = total + p_amount, attempt = p_attempt
    WHERE writer = p_writer AND seq = p_seq - 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'writer % does not stand at %', p_writer, p_seq - 1 USING ERRCODE = 'UL001';
  END IF;

  INSERT INTO ledger.entry (writer, seq, amount, body)
    VALUES (p_writer, p_seq, p_amount, ledger.words(p_writer, p_seq)) RETURNING id INTO v_id;

  IF p_seq % 2 = 0 THEN
    INSERT INTO ledger.note (writer, seq, words) VALUES (p_writer, p_seq, ledger.words(p_writer, p_seq));
    UPDATE ledger.note SET revised = true WHERE writer = p_writer AND seq = p_seq - 2;
    DELETE FROM ledger.note WHERE writer = p_writer AND seq = p_seq - 10;
  ELSE
    INSERT INTO ledger.task (writer, seq, state, payload)
      VALUES (p_writer, p_seq, 'open', jsonb_build_object('amount', p_amount));
    UPDATE ledger.task SET state = 'done', payload = payload || '{"checked": true}'
      WHERE writer = p_writer AND seq = p_seq - 4 AND state = 'open';
    DELETE FROM ledger.task WHERE writer = p_writer AND seq = p_seq - 20 AND state = 'done';
  END IF;

  RETURN v_id;
END
$$;

COMMENT ON SCHEMA ledger IS 'Exact history of the live writers';
COMMENT ON FUNCTION ledger.write(integer, bigint, integer, bigint) IS 'Writes one line, once';
