import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { hostName } from '../../shared/domain/ids.ts';
import { labelOf } from '../../shared/domain/move.ts';
import { sweepHost } from '../../shared/workflow/sweep/sweep-host.ts';
import { daily, longTest } from '../support/daily.ts';
import { FaultyMove } from '../support/faulty-move.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import { leftBehind } from '../support/left-behind.ts';
import { MoveProof } from '../support/move-proof.ts';

const hosts = standingHosts();

/** One line of a table beside the ledger, by clients that keep no history: whatever gets in must be moved. */
const insert = 'INSERT INTO ledger.extra (body) VALUES ($1)';

async function begin(): Promise<{ move: FaultyMove; proof: MoveProof }> {
  const move = await FaultyMove.begin(hosts);
  return { move, proof: await MoveProof.begin(move) };
}

async function label(move: FaultyMove): Promise<string> {
  return labelOf((await move.move()).execution);
}

describe('clients that do not stay out', () => {
  async function withTable(): Promise<{ move: FaultyMove; proof: MoveProof }> {
    const move = await FaultyMove.begin(hosts);
    const owner = pg.escapeIdentifier(move.tenant.owner.user);
    await hosts.source.query(
      `CREATE TABLE ledger.extra (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text);
       ALTER TABLE ledger.extra OWNER TO ${owner}`,
      move.tenant.database,
    );
    return { move, proof: await MoveProof.begin(move) };
  }

  /** Connects, writes a line and leaves, again and again, as this user. @returns acknowledged lines, once stopped */
  function storm(move: FaultyMove, login: { user: string; password: string }, lanes: number) {
    const ended = new AbortController();
    const { host, port } = hosts.source.address;
    const acknowledged: string[] = [];
    let refused = 0;
    const lane = async (nth: number): Promise<void> => {
      for (let line = 0; !ended.signal.aborted; line += 1) {
        const client = new pg.Client({ host, port, ...login, database: move.tenant.database });
        client.on('error', () => undefined);
        const body = `${String(nth)}/${String(line)}`;
        try {
          await client.connect();
          await client.query(insert, [body]);
          acknowledged.push(body);
        } catch {
          refused += 1;
          await sleep(5);
        }
        await client.end().catch(() => undefined);
      }
    };
    const running = Array.from({ length: lanes }, async (_, nth) => lane(nth));
    return async (): Promise<{ acknowledged: string[]; refused: number }> => {
      ended.abort();
      await Promise.all(running);
      return { acknowledged, refused };
    };
  }

  async function extraLines(move: FaultyMove): Promise<string[]> {
    const client = await hosts.target.connect(move.tenant.database);
    const { rows } = await client.query<{ body: string }>('SELECT body FROM ledger.extra');
    await client.end();
    return rows.map(({ body }) => body).sort();
  }

  const storms = ['of clients that connect', 'of an application that connects as superuser'];
  test.each(daily(storms, (what) => what.includes('superuser')))(
    'a storm %s during the freeze: whoever was told that a line is written finds it at the target',
    async (what) => {
      const { move, proof } = await withTable();
      const { user, password } = hosts.source.address;
      const isSuper = what.includes('superuser');
      const stop = storm(move, isSuper ? { user, password } : move.tenant.owner, isSuper ? 4 : 16);
      await move.deliver();
      const { acknowledged, refused } = await stop();
      expect(refused).toBeGreaterThan(0);
      expect(await extraLines(move)).toEqual(acknowledged.sort());
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );

  longTest(
    'a background worker that could write: the freeze is not made until it is gone, and the move says why',
    async () => {
      const { move, proof } = await begin();
      const inside = async (sql: string): Promise<void> => hosts.source.query(sql, move.tenant.database);
      move.strike({ call: 'fence' }, async () => {
        await inside(
          `CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION x
           WITH (connect = false, slot_name = 'x')`,
        );
        await inside('ALTER SUBSCRIPTION feed ENABLE');
      });
      await move.deliver(() => move.reasonsAbout(hosts.source).includes('subscription-inside'));
      expect(await move.placement()).toMatchObject({ arbitration: { kind: 'serving' } });
      await inside('ALTER SUBSCRIPTION feed DISABLE');
      await inside('ALTER SUBSCRIPTION feed SET (slot_name = NONE)');
      await inside('DROP SUBSCRIPTION feed');
      await move.deliver();
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

describe('somebody changes what a move stands on: it is undone, and says what was changed and where', () => {
  async function dropSlot(move: FaultyMove): Promise<void> {
    const id = (await move.move()).id.slice('mv_'.length);
    const slots = `FROM pg_replication_slots WHERE slot_name LIKE 'dray_%${id}%'`;
    const client = await hosts.source.connect();
    for (;;) {
      const { rowCount } = await client.query(`SELECT ${slots}`);
      if (rowCount === 0) break;
      await client.query(`SELECT pg_terminate_backend(active_pid, 5000) ${slots} AND active_pid IS NOT NULL`);
      await client.query(`SELECT pg_drop_replication_slot(slot_name) ${slots}`).catch(() => undefined);
    }
    await client.end();
  }

  async function disableSubscription(move: FaultyMove): Promise<void> {
    const id = (await move.move()).id.slice('mv_'.length);
    const client = await hosts.target.connect(move.tenant.database);
    const { rows } = await client.query<{ name: string }>(
      `SELECT subname AS name FROM pg_subscription WHERE subname LIKE 'dray_%${id}%'`,
    );
    for (const { name } of rows) {
      await client.query(`ALTER SUBSCRIPTION ${pg.escapeIdentifier(name)} DISABLE`);
    }
    await client.end();
    expect(rows).toHaveLength(1);
  }

  const interferences = [
    { what: 'a replication slot is dropped', call: 'catchUp', act: dropSlot, code: 'slot-missing' },
    { what: 'a replication slot is dropped', call: 'predictPause', act: dropSlot, code: 'slot-missing' },
    // The move waits half a minute for the target to follow.
    { what: 'the target follows no more', call: 'catchUp', act: disableSubscription, code: 'stream-stopped' },
  ] as const;
  test.each(daily(interferences, ({ call }) => call === 'predictPause'))(
    '$what before $call',
    async ({ call, act, code }) => {
      const { move, proof } = await begin();
      move.strike({ call }, () => act(move));
      await move.deliver();
      expect(await label(move)).toBe('rolled-back');
      expect([hosts.source, hosts.target].flatMap((host) => move.reasonsAbout(host))).toContain(code);
      expect(await proof.ofStayed()).toEqual([]);
    },
    120_000,
  );

  test.each(daily(['catchUp', 'fence'] as const, (call) => call === 'fence'))(
    'the schema is changed before %s',
    async (call) => {
      const { move, proof } = await begin();
      const inside = async (sql: string): Promise<void> => hosts.source.query(sql, move.tenant.database);
      move.strike({ call }, () => inside('CREATE TABLE public.late (id int PRIMARY KEY)'));
      await move.deliver();
      expect(await label(move)).toBe('rolled-back');
      expect(move.reasonsAbout(hosts.source)).toContain('schema-changed');
      await inside('DROP TABLE public.late');
      expect(await proof.ofStayed()).toEqual([]);
    },
    120_000,
  );

  test('the source database is dropped: the move ends, leaves nothing on the target, and says that it is gone', async () => {
    const move = await FaultyMove.begin(hosts);
    move.strike({ call: 'catchUp' }, async () => {
      await dropSlot(move);
      await hosts.source.query(`DROP DATABASE ${pg.escapeIdentifier(move.tenant.database)} WITH (FORCE)`);
    });
    await move.deliver();
    expect(move.reasonsAbout(hosts.source)).toEqual(['database-gone']);
    expect(await label(move)).toBe('rolled-back');
    const id = (await move.move()).id.slice('mv_'.length);
    const left = [...(await leftBehind(hosts.source)), ...(await leftBehind(hosts.target))];
    expect(left.filter((name) => name.includes(id))).toEqual([]);
  }, 120_000);
});

describe('what is found before anything is changed', () => {
  test.each(daily(['source', 'target'] as const, (side) => side === 'target'))(
    'a wrong password of the %s',
    async (side) => {
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      move.secrets.set(`of ${hosts[side].name}`, 'not this one');
      await move.deliver();
      expect(await label(move)).toBe('rolled-back');
      expect(move.reasonsAbout(hosts[side])).toEqual(['wrong-password']);
      expect(await proof.ofStayed()).toEqual([]);
    },
    120_000,
  );

  test('a database of that name on the target: it is left as it is', async () => {
    const move = await FaultyMove.begin(hosts);
    const name = pg.escapeIdentifier(move.tenant.database);
    await hosts.target.query(`CREATE DATABASE ${name}`);
    await hosts.target.query('CREATE TABLE theirs AS SELECT 1 AS one', move.tenant.database);
    await move.deliver();
    expect(await label(move)).toBe('rolled-back');
    expect(move.reasonsAbout(hosts.target)).toEqual(['target-database-exists']);
    await hosts.target.query('SELECT one FROM theirs', move.tenant.database);
    expect(await move.placement()).toMatchObject({ host: 'host-a', arbitration: { kind: 'serving' } });
    await hosts.target.query(`DROP DATABASE ${name}`);
  }, 120_000);
});

const transactions: readonly (readonly [string, string, string])[] = [
  ['of the whole server', 'SELECT pg_current_xact_id()', 'long-transaction'],
  ['that locks a table', 'LOCK TABLE shop.product IN ACCESS EXCLUSIVE MODE', 'lock-timeout'],
];
test.each(daily(transactions, ([, , code]) => code === 'lock-timeout'))(
  'a long transaction %s: the move waits no longer for it than others may wait behind the move, says so, and goes on when it has ended',
  async (_, holding, code) => {
    const { move, proof } = await begin();
    const client = await hosts.source.connect(move.tenant.database);
    await client.query(`BEGIN; ${holding}`);
    try {
      await move.deliver(() => move.reasonsAbout(hosts.source).length > 0);
    } finally {
      await client.query('COMMIT');
      await client.end();
    }
    expect(move.reasonsAbout(hosts.source)).toEqual([code]);
    await move.deliver();
    expect(await proof.ofMoved()).toEqual([]);
  },
  120_000,
);

longTest(
  'a second installation on the same hosts, its moves and its sweeps, touches nothing of the first',
  async () => {
    const first = await FaultyMove.begin(hosts, { installation: 'one' });
    const proof = await MoveProof.begin(first);
    await first.deliver(({ execution: { status } }) => 'step' in status && status.step === 'freeze');
    const second = await FaultyMove.begin(hosts, { installation: 'two' });
    const another = await MoveProof.begin(second);
    for (let times = 0; times < 3; times += 1) {
      for (const name of ['host-a', 'host-b']) await sweepHost(second.services, hostName(name));
    }
    await second.deliver();
    expect(await another.ofMoved()).toEqual([]);
    await first.deliver();
    expect(await proof.ofMoved()).toEqual([]);
  },
  120_000,
);
