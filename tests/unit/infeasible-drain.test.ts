import { expect, test } from '@jest/globals';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import { infeasibleDrain } from '../../shared/domain/news.ts';
import { textOf } from '../../shared/domain/notification.ts';
import { makePlan } from '../../shared/domain/planning/make-plan.ts';
import type { PlanHost, Seat } from '../../shared/domain/planning/snapshot.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf } from '../support/sample-batch.ts';

const host = (name: string, change: Partial<PlanHost> = {}): PlanHost => ({
  name: hostName(name),
  driver: 'postgres',
  major: 18,
  zone: 'z',
  hasFailed: false,
  reservedBytes: 0,
  capacityBytes: 100,
  ...change,
});
const seat = (name: string, bytes: number, change: Partial<Seat> = {}): Seat => ({
  endpoint: endpointName(name),
  driver: 'postgres',
  host: hostName('a'),
  bytes,
  labels: {},
  ...change,
});

test('a drain that cannot be done is told with how many stay, and what stops them where', () => {
  const hosts = [host('a'), host('b'), host('c'), host('d', { closed: 'cordoned' })];
  const seats = [
    seat('big', 95),
    seat('huge', 99),
    seat('small', 10),
    seat('tied', 1, { pin: hostName('a') }),
  ];
  const plan = makePlan({ kind: 'host', host: hostName('a') }, { hosts, seats });
  const news = infeasibleDrain(batchOf(), hostName('a'), plan);
  expect(news).toMatchObject({
    id: 'bt_0123456789abcdef0123:infeasible',
    kind: 'drain-infeasible',
    subject: 'a cannot be emptied: 3 of 4 endpoints have nowhere to go',
    about: { host: 'a', unplaced: 3, total: 4, room: 2, cordoned: 2 },
  });
  const text = news === undefined ? '' : textOf(news);
  expect(text).toContain('  2: too little room, on up to 2 hosts (b, c)\n  2: cordoned, on up to 1 host (d)');
  expect(text).toContain('  1: pinned to a, or there is no other host');
  expect(text).toContain('no host may take big: 2 hosts have too little room, d is cordoned');
});

test('a drain of which all has somewhere to go is no news', () => {
  const plan = makePlan(
    { kind: 'host', host: hostName('a') },
    { hosts: [host('a'), host('b')], seats: [seat('small', 10)] },
  );
  expect(infeasibleDrain(batchOf(), hostName('a'), plan)).toBeUndefined();
});

test('people are told when it is planned, and the end of its batch names what has stayed', async () => {
  const bench = new MoveBench();
  const desk = new CommandDesk(bench);
  await bench.addHost('a');
  await bench.addHost('b', { zone: 'y' });
  for (const [name, wish] of [
    ['free', {}],
    ['bound', { zones: ['z'] }],
  ] as const) {
    bench.network.addDatabase('a', { name, rows: 5 }, bench.clock.now());
    await desk.publish('endpoint.registered', { name, host: 'a', database: name, sizeBytes: 1, ...wish });
  }
  const outcome = await desk.publish('batch-move.requested', { reason: 'test', host: 'a' });
  if (outcome.kind !== 'accepted' || outcome.batch === undefined) throw new Error(JSON.stringify(outcome));
  const { batch: id } = outcome;
  await desk.settle();
  const { store, views, bus } = bench.services;
  expect(await store.load('news', { id: `${id}:infeasible` })).toMatchObject({
    about: { host: 'a', unplaced: 1, total: 2, zones: 1 },
  });
  const { items } = await views.movesOf(id, 'transferring');
  for (const move of items)
    await bench.deliverTo(
      move.id,
      ({ execution: { status } }) => 'step' in status && status.step === 'retire',
    );
  await bus.sendDispatch({ batch: id });
  await desk.settle();
  expect(bench.bus.announced.find(({ type }) => type === 'batch.completed')?.data).toMatchObject({
    counts: { moved: 1, 'rolled-back': 1 },
    unmet: { count: 1, examples: ['bound'] },
  });
});
