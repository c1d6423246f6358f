import { describe, expect, test } from '@jest/globals';
import { daily } from '../support/daily.ts';
import { FaultyMove } from '../support/faulty-move.ts';
import { leftBehind } from '../support/left-behind.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import type { Moment } from '../support/strikes.ts';
import { MoveProof } from '../support/move-proof.ts';

const hosts = standingHosts();

/** In the middle of four steps: something was done, and its answer is on the way. */
const moments: Readonly<Record<string, Moment>> = {
  copy: { call: 'copy', statement: /UPDATE .*"chunks" SET rows/, on: 'target' },
  'catch-up': { call: 'catchUp', statement: /"marker" SET beat/, on: 'source' },
  freeze: { call: 'fence', statement: /AS starting FROM pg_catalog\.pg_locks/, on: 'source' },
  settle: { call: 'settle', statement: /"marker" SET beat/, on: 'source' },
};
const cells = (['source', 'target'] as const).flatMap((side) =>
  (['restarted', 'killed'] as const).flatMap((fate) =>
    Object.entries(moments).map(([step, moment]) => ({ side, fate, step, moment })),
  ),
);

/** Each side and each fate once. */
const telling = ['target copy killed', 'source freeze restarted'];

describe('a host that is away for a while: the move says so, goes on by itself, and loses nothing', () => {
  test.each(daily(cells, ({ side, step, fate }) => telling.includes(`${side} ${step} ${fate}`)))(
    'the $side is $fate in $step',
    async ({ side, fate, moment }) => {
      const server = hosts[side];
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      move.strike(moment, async () => (fate === 'killed' ? server.kill() : server.stop({ mode: 'fast' })));
      await move.deliver(() => move.reasonsAbout(server).length > 0);
      await server.start();
      await move.deliver();
      expect(move.pending).toBe(0);
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});

test('a target that is killed in the copy and stays away: rolled back once patience is over, and the source serves', async () => {
  const { source, target } = hosts;
  const move = await FaultyMove.begin(hosts);
  const proof = await MoveProof.begin(move);
  move.strike(moments['copy'] ?? { call: 'copy' }, () => target.kill());
  await move.deliver();
  try {
    const { id, execution } = await move.move();
    expect(execution.status).toMatchObject({ state: 'rolled-back', reason: { code: 'host-unreachable' } });
    const ours = id.slice('mv_'.length);
    expect((await leftBehind(source)).filter((name) => name.includes(ours))).toEqual([]);
  } finally {
    await target.start();
  }
  expect(await proof.whatServes()).toEqual([]);
}, 120_000);

const ends: readonly (readonly [string, Moment])[] = [
  ['copy', { call: 'catchUp' }],
  ['catch-up', { call: 'verify' }],
  ['verify', { call: 'predictPause' }],
];

/** The target's own commits wait for no disk while it is filled; what a step has ended with must be there all the same. */
describe('a target that is killed at the moment at which a step has ended misses nothing of it', () => {
  test.each(daily(ends, ([step]) => step === 'copy'))(
    '%s',
    async (_, moment) => {
      const { target } = hosts;
      const move = await FaultyMove.begin(hosts);
      const proof = await MoveProof.begin(move);
      move.strike(moment, () => target.kill());
      await move.deliver(() => move.reasonsAbout(target).length > 0);
      await target.start();
      await move.deliver();
      expect(await proof.ofMoved()).toEqual([]);
    },
    120_000,
  );
});
