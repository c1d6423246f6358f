import { setImmediate as turn } from 'node:timers/promises';
import type { Move } from '../shared/domain/move.ts';
import { fresh } from '../shared/domain/transition.ts';
import { moveEndpointShape, type WorkflowShape } from '../shared/domain/workflow-shape.ts';
import { workMessage } from '../shared/contracts/messages.ts';
import { isMoveId } from '../shared/domain/ids.ts';
import { untraced } from '../shared/ports/tracer.ts';
import { placeOfMove } from '../shared/domain/trace.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { anyNetwork } from '../shared/runtime/host-networks.ts';
import { work } from '../shared/workflow/engine/work.ts';
import type { Step, Workflow } from '../shared/workflow/engine/workflow.ts';
import { ManualClock } from '../tests/support/engine-bench.ts';
import { MemoryBus } from '../tests/support/memory-bus.ts';
import { openMeteredTable, tableName } from '../tests/support/metered-table.ts';
import { moveOf } from '../tests/support/sample-batch.ts';
import { scalingBounds } from '../tests/support/scaling-bounds.ts';
import type { EngineUse } from './cost-model.ts';

const phase = 'transfer';
const leaseMs = 30_000;

/** The twelve steps of a move as twelve in a row, of which none hurries. */
const inARow: WorkflowShape = {
  ...moveEndpointShape,
  steps: [
    { name: 'preflight', phase },
    ...moveEndpointShape.steps.slice(1).map(({ name }) => ({ name, phase })),
  ],
};

/**
 * What the step engine itself uses of AWS for twelve consecutive steps: on a row such as a move has, in a table that
 * counts, with steps that only let time pass. No permits, no placement, no host, no history, nobody who lists it.
 */
export function measureSteps(workMs: number): Promise<EngineUse> {
  return measure((clock) => ({
    run: () => {
      clock.pass(workMs);
      return Promise.resolve({ kind: 'done' });
    },
  }));
}

/**
 * What an hour of one step adds, in which a function works all the time: the copy of a large database. Its invocations
 * hand over to one another.
 */
export async function measureHour(): Promise<EngineUse> {
  const hourMs = 3_600_000;
  const [whole, without] = [await measure(working(hourMs)), await measure(working(0))];
  return {
    writeUnits: whole.writeUnits - without.writeUnits,
    dueUnits: whole.dueUnits - without.dueUnits,
    reads: whole.reads - without.reads,
    messages: whole.messages - without.messages,
    invocations: whole.invocations - without.invocations,
  };
}

/** A first step that works for so long, over as many invocations as it takes. */
function working(ms: number): (clock: ManualClock, commits: () => number) => Step<Move, undefined> {
  let left = ms;
  const beat = leaseMs / 3;
  return (clock, commits) => ({
    async run(_, hand) {
      while (left > 0 && hand.remainingMs() > beat) {
        const before = commits();
        clock.pass(beat);
        left -= beat;
        // The lease is extended meanwhile.
        while (commits() === before) await turn();
      }
      return left > 0 ? { kind: 'continue', progress: left } : { kind: 'done' };
    },
  });
}

async function measure(
  stepOf: (clock: ManualClock, commits: () => number) => Step<Move, undefined>,
): Promise<EngineUse> {
  const { store, meter, close } = await openMeteredTable();
  try {
    const clock = new ManualClock();
    const bus = new MemoryBus(clock);
    let [reads, commits, invocations, messages] = [0, 0, 0, 1];
    const step = stepOf(clock, () => commits);
    const workflow: Workflow<Move, undefined> = {
      shape: inARow,
      steps: Object.fromEntries(inARow.steps.map(({ name }) => [name, step])),
      tasks: {
        load: (id) => {
          reads += 1;
          return isMoveId(id) ? store.load('move', { id }) : Promise.resolve(undefined);
        },
        commit: async (before, after) => {
          const answer = await store.commit('move', before, after);
          commits += 1;
          return answer;
        },
      },
      about: ({ id }) => ({ move: id }),
      placeOf: placeOfMove,
      open: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
    };
    const move = begun(clock.now());
    await store.insert('move', move);
    await bus.sendWork({ kind: 'work', task: move.id, phase }, 0);
    for (;;) {
      bus.sent.sort((one, other) => one.at - other.at);
      const next = bus.sent.shift();
      if (next === undefined) break;
      clock.pass(Math.max(0, next.at - clock.now()));
      const until = clock.now() + invocationMs;
      const before = bus.sent.length;
      await work(services(clock, bus), workflow, workMessage.parse(JSON.parse(next.text)), {
        owner: `worker-${String(invocations)}`,
        remainingMs: () => until - clock.now(),
      });
      invocations += 1;
      messages += bus.sent.length - before;
    }
    const use = meter.use()[tableName];
    return {
      writeUnits: use?.writeUnits ?? 0,
      dueUnits: use?.indexUnits['byDue'] ?? 0,
      reads,
      messages,
      invocations,
    };
  } finally {
    await close();
  }
}

/** As `transfer-endpoint` has it: a quarter of an hour, less its margin. */
const invocationMs = 840_000;

const services = (clock: ManualClock, bus: MemoryBus) => ({
  clock,
  bus,
  chance: machineChance,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  meter: { note: () => undefined },
  tracer: untraced,
  settings: {
    installation: 'cost',
    leaseMs: { [phase]: leaseMs },
    slowStoreMs: 250,
    patienceMs: 3_600_000,
    freshMs: 600_000,
    hostNetworks: anyNetwork,
    scaling: scalingBounds,
  },
});

function begun(now: number): Move {
  const move = moveOf(1, 'tenant-00042', {
    state: 'running',
    step: 'preflight',
    ...fresh,
    dueAt: now,
    forwardOnly: false,
    retreats: 0,
  });
  return {
    ...move,
    createdAt: now,
    execution: { ...move.execution, last: { fact: 'admitted', at: now, by: 'dispatch-moves' } },
  };
}
