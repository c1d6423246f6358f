import { expect, test } from '@jest/globals';
import { labelOf } from '../../shared/domain/move.ts';
import { FaultyMove } from '../support/faulty-move.ts';
import { standingHosts } from '../support/standing-hosts.ts';
import { MoveProof } from '../support/move-proof.ts';
import { longTest } from '../support/daily.ts';

const hosts = standingHosts();

test('an endpoint that takes longer than a function lives is moved by many: each stops itself in time and says so', async () => {
  const content = { shop: 30, telemetry: 20, search: 10 };
  const move = await FaultyMove.begin(hosts, { content, lifeMs: 4_000 });
  const proof = await MoveProof.begin(move);
  await move.deliver();
  expect(await proof.ofMoved()).toEqual([]);
  expect(move.killed).toBe(0);
  const handedOver = move.history.filter(({ fact }) => fact === 'handed-over');
  expect(handedOver.length).toBeGreaterThanOrEqual(3);
  expect(new Set(handedOver.map(({ by }) => by)).size).toBe(handedOver.length);
}, 240_000);

longTest(
  'functions that are given no time to get on: the move is undone, all of it, and says so',
  async () => {
    const move = await FaultyMove.begin(hosts);
    const proof = await MoveProof.begin(move);
    await move.deliver(({ execution: { status } }) => 'step' in status && status.step === 'freeze');
    move.lifeMs = 0;
    await move.deliver(({ execution: { status } }) => status.state === 'rolling-back');
    move.lifeMs = 60_000;
    await move.deliver();
    expect(labelOf((await move.move()).execution)).toBe('rolled-back');
    expect(move.told.map(({ code }) => code)).toContain('no-progress');
    expect(await move.explain()).toMatch(/freeze was handed over 6 times without progress/);
    expect(await proof.ofStayed()).toEqual([]);
  },
  120_000,
);

test('a step that fails three times: the move is undone, all of it, and says why it failed', async () => {
  const move = await FaultyMove.begin(hosts);
  const proof = await MoveProof.begin(move);
  for (let times = 0; times < 3; times += 1) {
    move.strike({ call: 'verify', statement: /hashtextextended|chunk/, on: 'target', when: 'before' }, () =>
      hosts.target.query(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'drayage/%'`,
      ),
    );
  }
  await move.deliver();
  expect(move.pending).toBe(0);
  expect(labelOf((await move.move()).execution)).toBe('rolled-back');
  expect(move.history.filter(({ fact }) => fact === 'step-failed')).toHaveLength(3);
  expect(move.reasonsAbout(hosts.target)).not.toEqual([]);
  expect(await proof.ofStayed()).toEqual([]);
}, 120_000);
