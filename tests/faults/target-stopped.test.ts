import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { FaultyMove } from '../support/faulty-move.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import type { Moment } from '../support/strikes.ts';
import { MoveProof } from '../support/move-proof.ts';
import { daily, longTest } from '../support/daily.ts';

const hosts = standingHosts();

/** `pg_ctl stop -m immediate`: nothing is flushed, and the next start recovers. */
const immediately = { mode: 'immediate' } as const;

describe('a target that is stopped immediately', () => {
  const early: readonly (readonly [string, Moment, string])[] = [
    [
      'once the marker is on it, before that is durable',
      { call: 'settle', statement: /SELECT beat FROM/, on: 'target' },
      'thawing',
    ],
    ['between the marker and the flip', { call: 'confirm' }, 'thawing'],
    ['after the flip, before the source is closed for good', { call: 'fenceForGood' }, 'flipped'],
  ];
  test.each(daily(early, ([, moment]) => moment.call === 'confirm'))(
    '%s: the source serves until it is back, then the move is made',
    async (_, moment, by) => {
      const { target } = hosts;
      const move = await FaultyMove.begin(hosts, { patienceMs: 600_000 });
      const proof = await MoveProof.begin(move);
      move.strike(moment, () => target.stop(immediately));
      await move.deliver(() => move.pending === 0 && move.reasonsAbout(target).length > 0);
      const before = move.lines;
      await move.deliver(() => move.lines > before);
      expect(move.arbitrations.map(({ kind }) => kind)).toContain(by);
      expect(await move.placement()).toMatchObject({ host: 'host-a', arbitration: { kind: 'serving' } });
      await target.start();
      await move.deliver();
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );

  longTest(
    'while it is being opened: nobody writes until it is back, and the move goes forward',
    async () => {
      const { target } = hosts;
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      move.strike({ call: 'open' }, () => target.stop(immediately));
      await move.deliver(() => move.reasonsAbout(target).length > 0);
      expect(await move.placement()).toMatchObject({ host: 'host-b', arbitration: { kind: 'opening' } });
      await target.start();
      await move.deliver();
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );

  test('right after it has opened: what was moved is all there, compared with the retained copy', async () => {
    const { target } = hosts;
    const move = await FaultyMove.begin(hosts);
    const proof = await MoveProof.begin(move);
    await move.deliver();
    await target.restart(immediately);
    expect(await proof.ofMoved()).toEqual([]);
  }, 120_000);

  test('within a second after it has opened, while clients write: what they were told is all there', async () => {
    const { target } = hosts;
    const move = await FaultyMove.begin(hosts, { writers: 4 });
    const proof = await MoveProof.begin(move);
    move.doorOpen = true;
    await move.deliver();
    const before = move.lines;
    while (move.lines < before + 4) await sleep(5);
    await target.stop(immediately);
    await target.start();
    expect(await proof.ofMoved()).toEqual([]);
  }, 120_000);
});
