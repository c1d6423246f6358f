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
    await bench.deliver(hasArrived);
    expect(await codesOf(bench)).toEqual([]);
    await bench.deliver(hasEnded);
    expect(await codesOf(bench)).toEqual([]);
  });

  test.each([
    ['whose copy on the source is kept', hasArrived],
    ['that has ended', hasEnded],
  ])(
    'after the table was restored to before a move %s places its endpoint where it serves, and it can be moved again',
    async (_, until) => {
      const bench = new MoveBench();
      await bench.begin();
      const past = bench.table.rows();
      await bench.deliver(until);
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
    await bench.deliver(hasArrived);
    await restore(bench, past);
    bench.network.behave('c', { down: true });
    const { differences } = await audit(bench.services);
    expect(differences.map(({ code }) => code)).toEqual(['host-not-asked', 'endpoint-elsewhere']);
    const before = await bench.placement();
    for (const each of await repairAll(bench.services, differences)) expect(each.outcome).toBe('refused');
    expect(await bench.placement()).toEqual(before);
  });

  test('refuses to choose between two hosts that serve, and to guess at one that nobody serves', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.deliver(hasEnded);
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
