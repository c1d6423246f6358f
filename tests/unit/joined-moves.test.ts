import { describe, expect, test } from '@jest/globals';
import { endpointName, hostName, type BatchId } from '../../shared/domain/ids.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { priorities } from '../../shared/domain/priority.ts';
import { shardOf } from '../../shared/domain/shards.ts';
import { isTerminal } from '../../shared/domain/execution.ts';
import { moveIdOf } from '../../shared/workflow/planning/plan-batch.ts';
import { relayChanges } from '../../shared/workflow/relay-changes.ts';
import { openBatch } from '../../shared/workflow/requests/open-batch.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import { CommandDesk } from '../support/command-desk.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf } from '../support/sample-batch.ts';

const accepted = { kind: 'accepted' };
const refused = (code: string) => ({ kind: 'refused', failure: { code } });

/** `shop` and `crm` on `a`; a person has `shop` moved to `b`, once somebody starts it. */
class Scene {
  readonly bench = new MoveBench();
  readonly desk = new CommandDesk(this.bench);
  readonly asked: BatchId;

  private constructor(bench: MoveBench, desk: CommandDesk, asked: BatchId) {
    this.bench = bench;
    this.desk = desk;
    this.asked = asked;
  }

  static async begin(policy: object = {}): Promise<Scene> {
    const bench = new MoveBench();
    const desk = new CommandDesk(bench);
    for (const host of ['a', 'b', 'c']) await bench.addHost(host);
    for (const name of ['crm', 'shop']) {
      bench.network.addDatabase('a', { name, rows: 5 }, bench.clock.now());
      await desk.publish('endpoint.registered', { name, host: 'a', database: name, sizeBytes: 1 });
    }
    const data = {
      reason: 'new rack',
      endpoints: ['shop'],
      target: 'b',
      policy: { start: 'manual', ...policy },
    };
    const scene = new Scene(
      bench,
      desk,
      batchIn(await desk.publish('batch-move.requested', data, '/author')),
    );
    await desk.settle();
    return scene;
  }

  /** Everything is to leave `a`. */
  async drain(): Promise<BatchId> {
    const id = await openBatch(
      this.bench.services,
      { source: '/ops', id: 'drain' },
      {
        reason: 'a is old',
        selection: { kind: 'host', host: hostName('a') },
        policy: { ...batchOf().policy, pauseBudgetMs: 10_000 },
        priority: priorities.drain,
      },
    );
    await this.desk.settle();
    return id;
  }

  async moveOf(id: BatchId, name = 'shop'): Promise<Move> {
    const batch = await this.bench.services.store.load('batch', { id });
    if (batch === undefined) throw new Error('no batch');
    const move = await this.bench.services.store.load('move', {
      id: moveIdOf(this.bench.services, batch, endpointName(name)),
    });
    if (move === undefined) throw new Error(`no move of ${name}`);
    return move;
  }

  async labelOf(id: BatchId, name = 'shop'): Promise<string> {
    return labelOf((await this.moveOf(id, name)).execution);
  }

  /** Has the move of a batch worked on until it has settled. */
  async workOn(id: BatchId, name = 'shop'): Promise<void> {
    await this.bench.deliverTo(
      (await this.moveOf(id, name)).id,
      ({ execution }) => isTerminal(execution.status.state) || labelOf(execution) === 'moved',
    );
  }

  /** Has the move that was asked for stand in a step from which there is only a way forward. */
  async advance(step: 'activate' | 'retire'): Promise<void> {
    const move = await this.moveOf(this.asked);
    const { status } = move.execution;
    if (status.state !== 'running') throw new Error(`it is ${status.state}`);
    await this.bench.services.store.commit('move', move, {
      ...move,
      execution: { ...move.execution, status: { ...status, step, forwardOnly: true } },
    });
  }

  /** Has the dispatcher look whether batches are complete. */
  async close(...batches: readonly BatchId[]): Promise<void> {
    for (const batch of batches) await this.bench.services.bus.sendDispatch({ batch });
    await this.desk.settle();
  }

  async stateOf(id: BatchId): Promise<string | undefined> {
    return (await this.bench.services.store.load('batch', { id }))?.state;
  }
}

function batchIn(outcome: RequestRecord['outcome']): BatchId {
  if (outcome.kind !== 'accepted' || outcome.batch === undefined)
    throw new Error(`no batch: ${JSON.stringify(outcome)}`);
  return outcome.batch;
}

describe('an endpoint that is moved already', () => {
  test('is joined by a drain, goes as its more urgent batch says, and arrives for both', async () => {
    const scene = await Scene.begin();
    expect(await scene.labelOf(scene.asked)).toBe('waiting');
    const drain = await scene.drain();
    const joined = await scene.moveOf(drain);
    const carrier = await scene.moveOf(scene.asked);
    expect(joined).toMatchObject({
      target: 'b',
      joined: { move: carrier.id, batch: scene.asked },
      execution: { status: { state: 'waiting', carried: true, waiting: { code: 'joined' } } },
    });
    expect(carrier.reasons).toMatchObject([
      { batch: scene.asked, by: '/author', reason: 'new rack', priority: priorities.requested },
      { batch: drain, by: '/ops', reason: 'a is old', priority: priorities.drain },
    ]);
    // The drain waits for nobody's start.
    expect(carrier).toMatchObject({
      priority: priorities.drain,
      execution: { status: { state: 'running' } },
    });
    expect((await scene.bench.services.views.waiting(shardOf('a'), '', 10)).map(({ id }) => id)).toEqual([]);
    await scene.close(scene.asked, drain);
    expect(await scene.stateOf(drain)).toBe('running');
    await scene.workOn(scene.asked);
    await scene.workOn(drain, 'crm');
    await scene.close(scene.asked, drain);
    expect(await scene.labelOf(drain)).toBe('retired');
    expect([await scene.stateOf(scene.asked), await scene.stateOf(drain)]).toEqual([
      'completed',
      'completed',
    ]);
    expect(
      (await scene.bench.services.store.load('endpoint', { endpoint: endpointName('shop') }))?.host,
    ).toBe('b');
  });

  test('is told by the stream how it ended, with the reason where it did not arrive', async () => {
    const scene = await Scene.begin();
    const drain = await scene.drain();
    const before = await scene.moveOf(scene.asked);
    await scene.desk.command({ verb: 'cancel', move: before.id });
    await scene.workOn(scene.asked);
    const after = await scene.moveOf(scene.asked);
    await relayChanges(scene.bench.services, [{ kind: 'move', before, after }]);
    expect((await scene.moveOf(drain)).execution.status).toMatchObject({
      state: 'rolled-back',
      reason: { code: 'cancelled' },
    });
  });

  test('is not joined where that move is not what is asked for', async () => {
    const scene = await Scene.begin();
    for (const [data, why] of [
      [{ target: 'c' }, 'to b'],
      [{ policy: { retention: 604_800_000 } }, 'for less long'],
      [{ policy: { pauseBudget: 10 } }, 'for longer'],
    ] as const) {
      const outcome = await scene.desk.publish('batch-move.requested', {
        reason: 'test',
        endpoints: ['shop'],
        ...data,
      });
      expect(outcome).toMatchObject({
        kind: 'refused',
        failure: { code: 'endpoint-moving', sentence: expect.stringContaining(why) },
      });
    }
    const { store } = scene.bench.services;
    const target = await store.load('host', { name: hostName('b') });
    if (target === undefined) throw new Error('no host');
    await store.commit('host', target, { ...target, intent: { ...target.intent, value: 'cordoned' } });
    const drain = await scene.drain();
    expect((await scene.moveOf(drain)).execution.status).toMatchObject({
      state: 'rolled-back',
      reason: { code: 'endpoint-moving', sentence: expect.stringContaining('to b, which is cordoned') },
    });
    expect((await scene.moveOf(scene.asked)).reasons).toBeUndefined();
  });
});

describe('a withdrawal', () => {
  test('of one reason leaves the move to the others, and of the last one ends it', async () => {
    const scene = await Scene.begin();
    const drain = await scene.drain();
    const word = { verb: 'withdraw', batch: drain, endpoint: 'shop' };
    expect(await scene.desk.command(word)).toMatchObject(accepted);
    expect(await scene.desk.command(word)).toMatchObject(accepted);
    expect((await scene.moveOf(drain)).execution.status).toMatchObject({
      state: 'rolled-back',
      reason: { code: 'withdrawn', sentence: 'withdrawn by /ops: test' },
    });
    const left = await scene.moveOf(scene.asked);
    expect(left).toMatchObject({
      priority: priorities.requested,
      execution: { status: { state: 'running' }, last: { fact: 'withdrawn', by: '/ops' } },
    });
    expect(left.reasons?.map(({ batch }) => batch)).toEqual([scene.asked]);
    expect(await scene.desk.command({ verb: 'withdraw', move: left.id })).toMatchObject(accepted);
    expect(await scene.labelOf(scene.asked)).toBe('rolling-back');
    await scene.workOn(scene.asked);
    expect((await scene.moveOf(scene.asked)).execution.status).toMatchObject({
      reason: { code: 'withdrawn' },
    });
  });

  test('by its own batch, as by a cancel of that, leaves the move to those that joined it', async () => {
    for (const verb of ['withdraw', 'cancel']) {
      const scene = await Scene.begin();
      const drain = await scene.drain();
      const carrier = await scene.moveOf(scene.asked);
      const subject = verb === 'cancel' ? { batch: scene.asked } : { move: carrier.id };
      expect(await scene.desk.command({ verb, ...subject })).toMatchObject(accepted);
      await scene.desk.settle();
      expect((await scene.moveOf(scene.asked)).reasons?.map(({ batch }) => batch)).toEqual([drain]);
      await scene.workOn(scene.asked);
      await scene.workOn(drain, 'crm');
      await scene.close(scene.asked, drain);
      expect([await scene.labelOf(scene.asked), await scene.labelOf(drain)]).toEqual(['moved', 'retired']);
      expect([await scene.stateOf(scene.asked), await scene.stateOf(drain)]).toEqual([
        'completed',
        'completed',
      ]);
    }
  });

  test('that comes too late, or is of nothing, is refused', async () => {
    const scene = await Scene.begin();
    const drain = await scene.drain();
    const { id } = await scene.moveOf(drain);
    expect(await scene.desk.command({ verb: 'hold', move: id })).toMatchObject(refused('move-joined'));
    expect(await scene.desk.command({ verb: 'withdraw', batch: scene.asked, endpoint: 'crm' })).toMatchObject(
      refused('endpoint-not-in-batch'),
    );
    expect(await scene.desk.command({ verb: 'withdraw', batch: drain })).toMatchObject(
      refused('subject-unfit'),
    );
    await scene.workOn(scene.asked);
    expect(await scene.desk.command({ verb: 'withdraw', move: id })).toMatchObject(refused('past-the-pivot'));
    expect(await scene.labelOf(drain)).toBe('waiting');
  });

  test('that a cancel asks for too late is not asked for again and again', async () => {
    const scene = await Scene.begin();
    const drain = await scene.drain();
    await scene.advance('activate');
    expect(await scene.desk.command({ verb: 'cancel', batch: drain })).toMatchObject(accepted);
    // Ends: what cannot be turned round is not looked at over and over.
    await scene.desk.settle();
    expect(await scene.labelOf(drain)).toBe('waiting');
    await scene.advance('retire');
    await scene.workOn(drain, 'crm');
    await scene.close(drain);
    expect(await scene.stateOf(drain)).toBe('completed');
    expect(scene.bench.bus.announced.at(-1)?.data).toMatchObject({ notUndone: { examples: ['shop'] } });
  });

  test('of a joined move by cancelling it, or its batch, touches that batch alone', async () => {
    const scene = await Scene.begin();
    const drain = await scene.drain();
    expect(await scene.desk.command({ verb: 'cancel', batch: drain })).toMatchObject(accepted);
    await scene.desk.settle();
    expect(await scene.labelOf(drain)).toBe('rolled-back');
    expect(await scene.labelOf(drain, 'crm')).toBe('rolling-back');
    expect(await scene.labelOf(scene.asked)).toBe('transferring');
  });
});
