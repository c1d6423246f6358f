import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { daily } from '../support/daily.ts';
import { startFaultyWire, type FaultyWire } from '../support/faulty-wire.ts';
import { FaultyMove } from '../support/faulty-move.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import type { Moment } from '../support/strikes.ts';
import { MoveProof } from '../support/move-proof.ts';

/** The mover and the replication reach both hosts over wires of ours; clients do not. */
const hosts = standingHosts({
  // The stream itself notices silence as well, sooner than after the default of a minute.
  both: { settings: { wal_receiver_timeout: '5s', wal_sender_timeout: '5s' } },
});
let wires: { readonly source: FaultyWire; readonly target: FaultyWire };
beforeAll(async () => {
  const [source, target] = await Promise.all(
    [hosts.source, hosts.target].map(({ address }) => startFaultyWire(address.port)),
  );
  if (source === undefined || target === undefined) throw new Error('two wires were started');
  wires = { source, target };
}, 120_000);
afterAll(async () => {
  await Promise.all([wires.source.close(), wires.target.close()]);
}, 60_000);

const copying: Moment = { call: 'copy', statement: /UPDATE .*"chunks" SET rows/, on: 'target' };
const marking: Moment = { call: 'settle', statement: /"marker" SET beat/, on: 'source' };

async function begin(lifeMs: number): Promise<{ move: FaultyMove; proof: MoveProof }> {
  const ports = { source: wires.source.port, target: wires.target.port };
  const move = await FaultyMove.begin(hosts, { ports, lifeMs });
  return { move, proof: await MoveProof.begin(move) };
}

const cuts = (['source', 'target'] as const).flatMap((side) =>
  [copying, marking].map((moment) => ({ side, call: moment.call, moment })),
);

describe('connections that are cut: the move says to which host, and goes on by itself', () => {
  test.each(daily(cuts, ({ side, call }) => side === 'source' && call === marking.call))(
    'all to the $side, in $call',
    async ({ side, moment }) => {
      const { move, proof } = await begin(60_000);
      move.strike(moment, () => wires[side].cut());
      await move.deliver();
      expect(move.pending).toBe(0);
      expect(move.reasonsAbout(hosts[side]).length).toBeGreaterThan(0);
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

describe('connections that fall silent half-way', () => {
  test.each(daily(['source', 'target'] as const, (side) => side === 'target'))(
    'to the %s, in the copy: the function stops itself when its time is over, and the next one goes on',
    async (side) => {
      const { move, proof } = await begin(4_000);
      move.strike(copying, () => wires[side].silence());
      await move.deliver();
      expect(move.pending).toBe(0);
      expect(move.history).toContainEqual(expect.objectContaining({ fact: 'handed-over', step: 'copy' }));
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );

  test.each(daily(['source', 'target'] as const, (side) => side === 'source'))(
    'to the %s, in the freeze: the source is thawed within ten seconds, long before the function would end',
    async (side) => {
      const { move, proof } = await begin(60_000);
      let silentAt = Infinity;
      move.strike(marking, () => {
        silentAt = move.clock.now();
        wires[side].silence();
      });
      await move.deliver();
      const thawedAt = move.arbitrations.find(({ kind, at }) => kind === 'serving' && at > silentAt)?.at;
      expect((thawedAt ?? Infinity) - silentAt).toBeLessThanOrEqual(10_000);
      expect(move.reasonsAbout(hosts[side])).toContain(side === 'source' ? 'session-lost' : 'host-timeout');
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});
