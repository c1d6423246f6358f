import { describe, expect, test } from '@jest/globals';
import { daily } from '../support/daily.ts';
import { FaultyMove } from '../support/faulty-move.ts';
import type { FaultHosts } from '../support/fault-hosts.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import type { Moment } from '../support/strikes.ts';
import type { Fault } from '../support/memory-table.ts';
import { MoveProof } from '../support/move-proof.ts';
import type { Ending } from '../support/worker-life.ts';

const hosts = standingHosts();

const closing: Moment = { call: 'fence', statement: /AS starting FROM pg_catalog\.pg_locks/, on: 'source' };
const marking: Moment = { call: 'settle', statement: /"marker" SET beat/, on: 'source' };

/** In the time that workers see: leases, delays of messages and work itself; other waiting is leapt over. */
const promisedMs = 10_000;

const last: Moment = { call: 'confirm' };
const deaths: readonly (readonly [string, Moment, Ending])[] = [
  ['killed while it empties the source', closing, 'connections-closed'],
  ['killed while it settles', marking, 'connections-closed'],
  ['killed before the last look', last, 'connections-closed'],
  ['gone with its connections left open while it empties the source', closing, 'connections-left-open'],
  ['gone with its connections left open while it settles', marking, 'connections-left-open'],
];

describe('the death of the function that froze the source: it is thawed within ten seconds, and the move goes on', () => {
  test.each(daily(deaths, ([, moment, how]) => moment === marking && how === 'connections-left-open'))(
    '%s',
    async (_, moment, how) => {
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      let diedAt = Infinity;
      move.strike(moment, async () => {
        diedAt = move.clock.now();
        move.life.end(how);
      });
      await move.deliver();
      const since = move.arbitrations.filter(({ at }) => at > diedAt);
      expect(since.map(({ kind }) => kind)).toEqual([
        'thawing',
        'serving',
        'frozen',
        'flipped',
        'opening',
        'serving',
      ]);
      const thawedAt = since.find(({ kind }) => kind === 'serving')?.at ?? Infinity;
      expect(thawedAt - diedAt).toBeLessThanOrEqual(promisedMs);
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

describe('a flip that was sent and not answered', () => {
  const fates: readonly (readonly [string, Fault, readonly string[]])[] = [
    ['and had happened: the move goes forward', 'lost-answer', ['frozen', 'flipped', 'opening', 'serving']],
    [
      'and was lost: it is made impossible, the source is thawed, and the move is made later',
      'lost-request',
      ['frozen', 'thawing', 'serving', 'frozen', 'flipped', 'opening', 'serving'],
    ],
    [
      'and lands late, after the thaw: it changes nothing',
      'late',
      ['frozen', 'thawing', 'serving', 'frozen', 'flipped', 'opening', 'serving'],
    ],
  ];
  // That it had happened, and nobody heard of it, is a cell of the crash matrix too.
  test.each(daily(fates, ([, fault]) => fault === 'late'))(
    '%s',
    async (_, fault, kinds) => {
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      let fate: Fault = 'none';
      move.table.fault = ({ operation, key }) => {
        if (operation !== 'write' || key?.sk !== 'ENDPOINT') return 'none';
        const now = fate;
        fate = 'none';
        return now;
      };
      move.strike({ call: 'confirm' }, () => {
        fate = fault;
      });
      await move.deliver(() => move.arbitrations.length > 3);
      move.table.land();
      await move.deliver();
      expect(move.arbitrations.map(({ kind }) => kind)).toEqual(['serving', ...kinds]);
      expect(await move.placement()).toMatchObject({ epoch: 2 });
      if (fault !== 'lost-answer') expect(move.told.map(({ code }) => code)).toContain('arbiter-silent');
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

const absences: readonly (readonly [string, Moment])[] = [
  ['from the settling on', marking],
  ['from the flip on', last],
];

describe('a table that is away during the freeze', () => {
  test.each(daily(absences, ([, moment]) => moment === marking))(
    '%s: nothing is opened on an unknown answer, neither side; once it is back the move goes on',
    async (_, moment) => {
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      move.strike(moment, () => {
        move.tableAway = true;
      });
      await move.deliver(() => move.unanswered >= 12);
      const { database } = move.tenant;
      expect(await Promise.all([isOpen(hosts.source, database), isOpen(hosts.target, database)])).toEqual([
        false,
        false,
      ]);
      expect(move.arbitrations.map(({ kind }) => kind)).toEqual(['serving', 'frozen']);
      move.tableAway = false;
      await move.deliver();
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

async function isOpen(server: FaultHosts['source'], database: string): Promise<boolean> {
  const client = await server.connect();
  const { rows } = await client.query<{ open: boolean }>(
    'SELECT datallowconn AS open FROM pg_database WHERE datname = $1',
    [database],
  );
  await client.end();
  return rows.some(({ open }) => open);
}
