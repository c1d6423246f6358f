import { expect, test } from '@jest/globals';
import { cutoverPhase } from '../../shared/workflow/move-endpoint/cutover-phase.ts';
import { transferPhase } from '../../shared/workflow/move-endpoint/transfer.ts';
import { workInPhase } from '../../shared/workflow/move-endpoint/work-in-phase.ts';
import { MoveBench } from '../support/move-bench.ts';
import { batchOf, moveOf, states } from '../support/sample-batch.ts';

const read = (text: string): unknown => JSON.parse(text);
const soon = { owner: 'worker', remainingMs: () => 60_000 };

test.each(['work', 'dead-man'] as const)(
  'a message (%s) that lies in the queue of another phase is sent to its own, and nothing is done for it',
  async (kind) => {
    const bench = new MoveBench();
    await bench.addHost('a');
    await bench.addHost('b');
    const move = moveOf(1, 'shop', states.running('copy'));
    await bench.services.store.insert('batch', batchOf({ total: 1 }));
    await bench.services.store.insert('move', move);
    const about = { task: move.id, phase: transferPhase.name };
    const message = kind === 'work' ? { kind, ...about } : { kind, ...about, token: 1 };
    await workInPhase(bench.services, cutoverPhase, message, soon);
    expect(bench.calls).toEqual([]);
    expect(await bench.move()).toEqual(move);
    const sent = bench.bus.sent.map(({ queue, text }) => ({ queue, message: read(text) }));
    expect(sent).toEqual([{ queue: transferPhase.name, message: { v: 1, ...message } }]);
  },
);
