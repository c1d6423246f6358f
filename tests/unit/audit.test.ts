import { describe, expect, test } from '@jest/globals';
import type { Row } from '../../shared/contracts/rows/row.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import { audit } from '../../shared/workflow/audit/audit.ts';
import { repairAll } from '../../shared/workflow/audit/repair.ts';
import { moveIdOf } from '../../shared/workflow/planning/plan-batch.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';

const hasEnded = ({ execution: { status } }: Move): boolean => isTerminal(status.state);
const hasArrived = (move: Move): boolean =>
  hasEnded(move) || ('step' in move.execution.status && move.execution.status.step === 'retire');

const arrive = (bench: MoveBench): Promise<void> => bench.deliver(hasArrived);

/** To its very end: once nobody keeps the copy on the source any more. */
async function end(bench: MoveBench): Promise<void> {
  await bench.deliver();
  const { id, execution } = await bench.move();
  if ('dueAt' in execution.status) bench.clock.pass(execution.status.dueAt - bench.clock.now());
  await bench.bus.sendWork({ kind: 'work', task: id, phase: 'retire' }, 0);
  await bench.deliver(hasEnded);
  expect((await bench.move()).execution.status).toMatchObject({ state: 'completed' });
}

/** What the table holds goes, and what it held then is there again. */
async function restore({ table }: MoveBench, past: readonly Row[]): Promise<void> {
  for (const row of table.rows()) await table.write(row, () => 'gone');
  for (const row of past) await table.write(row, () => row);
}

const codesOf = async (bench: MoveBench): Promise<string[]> =>
  (await audit(bench.services)).differences.map(({ code }) => code);

describe('an audit', () => {
  test('finds nothing where rows and hosts agree, at rest and in the middle of a move', async () => {
    const bench = new MoveBench();
    await bench.begin();
    expect(await codesOf(bench)).toEqual([]);
    await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'freeze');
    expect(await codesOf(bench)).toEqual([]);
    await arrive(bench);
    expect(await codesOf(bench)).toEqual([]);
    await end(bench);
    expect(await codesOf(bench)).toEqual([]);
  });

  test.each([
    ['whose copy on the source is kept', arrive],
    ['that has ended', end],
  ])(
    'after the table was restored to before a move %s places its endpoint where it serves, and it can be moved again',
    async (_, moveOn) => {
      const bench = new MoveBench();
      await bench.begin();
      const past = bench.table.rows();
      await moveOn(bench);
      const told = (await bench.placement()).epoch;
      await restore(bench, past);

      const { differences } = await audit(bench.services);
      expect(differences).toMatchObject([{ code: 'endpoint-elsewhere', subject: 'endpoint shop' }]);
      expect(await repairAll(bench.services, differences)).toEqual([{ outcome: 'repaired' }]);
      const placement = await bench.placement();
      expect(placement).toMatchObject({ host: 'b', arbitration: { kind: 'serving' } });
      expect([placement.claim, placement.epoch > told]).toEqual([undefined, true]);
      expect(await codesOf(bench)).toEqual([]);

      // The move of the past, which its row has as under way, changes nothing any more.
      await bench.bus.sendWork({ kind: 'work', task: (await bench.move()).id, phase: 'transfer' }, 0);
      await bench.deliver(hasEnded);
      expect(await bench.placement()).toEqual(placement);

      const desk = new CommandDesk(bench);
      bench.bus.sent.splice(0);
      const policy = { retention: 0 };
      const data = { reason: 'again', endpoints: ['shop'], target: 'c', policy };
      await bench.addHost('c');
      const outcome = await desk.publish('batch-move.requested', data);
      if (outcome.kind !== 'accepted' || outcome.batch === undefined) throw new Error('it was refused');
      await desk.settle();
      const batch = await bench.services.store.load('batch', { id: outcome.batch });
      if (batch === undefined) throw new Error('there is no batch');
      await bench.deliverTo(moveIdOf(bench.services, batch, endpointName('shop')), hasArrived);
      expect(await bench.services.store.load('endpoint', placement)).toMatchObject({ host: 'c' });
    },
  );

  test('refuses to say where an endpoint is while a host does not answer that may have it', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.addHost('c');
    const past = bench.table.rows();
    await arrive(bench);
    await restore(bench, past);
    bench.network.behave('c', { down: true });
    const { differences } = await audit(bench.services);
    expect(differences.map(({ code }) => code)).toEqual(['host-not-asked', 'endpoint-elsewhere']);
    const before = await bench.placement();
    for (const each of await repairAll(bench.services, differences)) expect(each.outcome).toBe('refused');
    expect(await bench.placement()).toEqual(before);
  });

  test('refuses to choose between two hosts that serve', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await arrive(bench);
    // Somebody has given the copy that was kept its name back, and opened it.
    for (const kept of bench.network.hosts.get('a')?.databases.values() ?? [])
      Object.assign(kept, { name: 'shop', access: 'open', mark: undefined });
    const before = await bench.placement();
    const { differences } = await audit(bench.services);
    expect(differences).toMatchObject([{ code: 'endpoint-open-twice', subject: 'endpoint shop' }]);
    expect(await repairAll(bench.services, differences)).toMatchObject([{ outcome: 'refused' }]);
    expect(await bench.placement()).toEqual(before);
  });

  test('says nothing of an endpoint that a move has begun to close while hosts were asked', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const { store, driver } = bench.services;
    const held = await bench.placement();
    const { claim, ...free } = held;
    await store.commit('endpoint', held, free);
    const frozen = Promise.withResolvers<undefined>();
    const audited = Promise.withResolvers<undefined>();
    bench.beforeCall = async (call) => {
      if (call !== 'settle') return;
      frozen.resolve(undefined);
      await audited.promise;
    };
    let moving: Promise<void> | undefined;
    const meanwhile = async (): Promise<void> => {
      if (moving !== undefined) return;
      const now = await bench.placement();
      await store.commit('endpoint', now, { ...now, ...(claim === undefined ? {} : { claim }) });
      moving = bench.deliver(hasArrived);
      await frozen.promise;
    };
    const asked = { ...bench.services, driver: async (name: string) => meanwhile().then(() => driver(name)) };
    const { differences } = await audit(asked);
    const { arbitration } = await bench.placement();
    audited.resolve(undefined);
    await moving;
    expect({ differences, arbitration }).toMatchObject({ differences: [], arbitration: { kind: 'frozen' } });
  });

  test('does not guess which of two endpoints a database is whose name both have', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const past = bench.table.rows();
    await arrive(bench);
    await restore(bench, past);
    await bench.addHost('c');
    const { store } = bench.services;
    const shop = await bench.placement();
    await store.insert('endpoint', { ...shop, endpoint: endpointName('store'), host: hostName('c') });
    const { differences } = await audit(bench.services);
    expect(differences.map(({ code, subject }) => [code, subject])).toEqual([
      ['endpoint-elsewhere', 'endpoint store'],
      ['endpoint-elsewhere', 'endpoint shop'],
    ]);
    const [one, other] = await repairAll(bench.services, differences);
    expect([one, other]).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining('endpoint shop may be it') },
      { outcome: 'refused', why: expect.stringContaining('endpoint store may be it') },
    ]);
  });

  test('says which rows cannot be read, and moves nothing to where the host of such a row may have it', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.addHost('c');
    const past = bench.table.rows();
    await arrive(bench);
    await restore(bench, past);
    for (const row of bench.table.rows())
      if (row.pk === 'HOST#c') await bench.table.write(row, () => ({ ...row, zone: 7 }));
    const { differences } = await audit(bench.services);
    expect(differences).toMatchObject([
      { code: 'host-not-asked', subject: 'host c', sentence: expect.stringContaining('cannot be read') },
      { code: 'endpoint-elsewhere', cure: expect.stringContaining('make c answer') },
    ]);
    for (const each of await repairAll(bench.services, differences)) expect(each.outcome).toBe('refused');
    for (const row of bench.table.rows())
      if (row.pk === 'ENDPOINT#shop') await bench.table.write(row, () => ({ ...row, epoch: 'late' }));
    expect(await codesOf(bench)).toContain('row-not-compared');
  });

  test('raises what a row of the past counts too low to above what its host has seen, and leaves the rest', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await end(bench);
    const told = await bench.placement();
    const { store } = bench.services;
    await store.commit('endpoint', told, { ...told, epoch: 1, claims: 0 });
    const { differences } = await audit(bench.services);
    expect(differences).toMatchObject([{ code: 'marker-ahead', subject: 'endpoint shop' }]);
    expect(await repairAll(bench.services, differences)).toEqual([{ outcome: 'repaired' }]);
    const { epoch, claims, host, arbitration } = await bench.placement();
    expect([epoch > told.epoch, claims > told.claims]).toEqual([true, true]);
    expect({ host, arbitration }).toEqual({ host: told.host, arbitration: told.arbitration });
    expect(await codesOf(bench)).toEqual([]);
  });

  test('finds what a move that has ended has left, and has its host swept', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await end(bench);
    const ours = (await bench.move()).id.slice('mv_'.length);
    const name = `dray_${bench.services.settings.installation}_${ours}_1_s0`;
    bench.network.hosts.get('a')?.publications.set(name, 1);
    const { differences } = await audit(bench.services);
    expect(differences).toMatchObject([{ code: 'orphan', subject: 'host a' }]);
    // What is seen for the first time may be somebody's at work: it goes with the next look.
    expect(await repairAll(bench.services, differences)).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining('the next one') },
    ]);
    expect(await codesOf(bench)).toEqual(['orphan']);
    expect(await repairAll(bench.services, differences)).toEqual([{ outcome: 'repaired' }]);
    expect(await codesOf(bench)).toEqual([]);
    expect(bench.network.hosts.get('a')?.publications.size).toBe(0);
  });

  test('refuses to guess at an endpoint that nobody serves', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await end(bench);
    const b = bench.network.hosts.get('b');
    for (const database of b?.databases.values() ?? [])
      if (database.name === 'shop') database.access = 'closed';
    const closed = await audit(bench.services);
    expect(closed.differences).toMatchObject([{ code: 'endpoint-closed' }]);
    expect(await repairAll(bench.services, closed.differences)).toMatchObject([{ outcome: 'refused' }]);
    b?.databases.clear();
    expect(await codesOf(bench)).toEqual(['endpoint-missing']);
  });

  test('lets go what a move holds that is not known, and writes nothing over what has changed meanwhile', async () => {
    const bench = new MoveBench();
    const move = await bench.begin();
    await bench.services.store.remove('move', move);
    const { differences } = await audit(bench.services);
    expect(differences).toMatchObject([{ code: 'claim-left' }]);
    const before = await bench.services.store.load('endpoint', { endpoint: move.endpoint });
    if (before === undefined) throw new Error('there is no placement');
    await bench.services.store.commit('endpoint', before, { ...before, sizeBytes: 2 });
    expect(await repairAll(bench.services, differences)).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining('audit again') },
    ]);
    const again = await audit(bench.services);
    expect(await repairAll(bench.services, again.differences)).toEqual([{ outcome: 'repaired' }]);
    expect(await codesOf(bench)).toEqual([]);
  });

  test('removes slots of moves that no row knows, and leaves copies to a person', async () => {
    const bench = new MoveBench();
    const move = await bench.begin();
    await bench.deliver(({ execution: { status } }) => 'step' in status && status.step === 'freeze');
    await bench.services.store.remove('move', await bench.move());
    const { differences } = await audit(bench.services);
    const codes = differences.map(({ code }) => code);
    expect(codes).toContain('copy-of-unknown-move');
    expect(codes).toContain('thing-of-unknown-move');
    await repairAll(bench.services, differences);
    expect(new Set(await codesOf(bench))).toEqual(new Set(['copy-of-unknown-move']));
    expect(bench.network.hosts.get('a')?.slots.size).toBe(0);
    expect(move.source).toBe(hostName('a'));
  });
});
