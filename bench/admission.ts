/**
 * What a look of the dispatcher costs, by how many moves wait: `node bench/admission.ts`. The list of what waits is
 * in memory; everything else is the product's own code. A look is one that finds everything full but for one permit,
 * as each that a finished move wakes.
 */
import { choose, byPriority } from '../shared/domain/admission.ts';
import { batchId, hostName, moveId, type HostName } from '../shared/domain/ids.ts';
import { Rooms } from '../shared/domain/rooms.ts';
import { shardOf } from '../shared/domain/shards.ts';
import { writeWaitingOrder } from '../shared/domain/waiting-order.ts';
import { moveEndpointShape } from '../shared/domain/workflow-shape.ts';
import type { WaitingMove } from '../shared/ports/store.ts';
import { waitingMoves } from '../shared/workflow/admission/waiting-moves.ts';
import { hostOf } from '../tests/support/sample-batch.ts';

/** Moves by shard, in their order, as the index has them. */
class Waiting {
  readonly #shards = new Map<string, WaitingMove[]>();
  questions = 0;
  rows = 0;

  constructor(moves: readonly WaitingMove[]) {
    for (const move of moves) {
      const shard = this.#shards.get(shardOf(move.source)) ?? [];
      this.#shards.set(shardOf(move.source), shard);
      shard.push(move);
    }
    for (const shard of this.#shards.values()) shard.sort((one, other) => (one.order < other.order ? -1 : 1));
  }

  find = (shard: string, after: string, limit: number): Promise<readonly WaitingMove[]> => {
    const rows = this.#shards.get(shard) ?? [];
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.order ?? '') > after) high = middle;
      else low = middle + 1;
    }
    this.questions += 1;
    const found = rows.slice(low, low + limit);
    this.rows += found.length;
    return Promise.resolve(found);
  };
}

const id = (nth: number): string => String(nth).padStart(16, '0');

function scene(count: number, sources: number, targets: number): readonly WaitingMove[] {
  return Array.from({ length: count }, (_, nth): WaitingMove => {
    const move = {
      id: moveId(`mv_${id(nth)}`),
      batch: batchId(`bt_0000${id(nth % 3)}`),
      source: hostName(`source-${String(nth % sources)}`),
      target: hostName(`target-${String(Math.floor(nth / sources) % targets)}`),
      priority: 50,
      createdAt: nth,
    };
    const { name: workflow } = moveEndpointShape;
    return { ...move, workflow, order: writeWaitingOrder(move, workflow) };
  });
}

/** Everything full, but for one permit out of one source. */
function roomsOf(moves: readonly WaitingMove[]): Rooms {
  const hosts = [...new Set(moves.flatMap(({ source, target }) => [source, target]))];
  const open = hosts[0];
  const host = (name: HostName) => hostOf(name, { movesOut: name === open ? 1 : 0, movesIn: 10 });
  return new Rooms(hosts.map(host), { inAll: 200, inZone: () => 100, ofBatch: 100 });
}

async function look(waiting: Waiting, rooms: Rooms): Promise<number> {
  const soon = { remainingMs: () => 60_000 };
  const views = { waiting: waiting.find };
  const { moves } = await waitingMoves({ views }, soon, moveEndpointShape, (move) =>
    Promise.resolve(rooms.mayLeave(move)),
  );
  return byPriority(moves).flatMap((group) => choose(group, rooms, 100, () => 0.5)).length;
}

process.stdout.write('waiting  sources  targets  questions  rows read  ms a look  let go\n');
for (const [sources, targets] of [
  [1, 50],
  [50, 49],
] as const) {
  for (const count of [1_000, 10_000, 100_000]) {
    const moves = scene(count, sources, targets);
    const looks = 10;
    let [questions, rows, admitted, ms] = [0, 0, 0, 0];
    for (let nth = 0; nth < looks; nth += 1) {
      const waiting = new Waiting(moves);
      const rooms = roomsOf(moves);
      const began = performance.now();
      admitted += await look(waiting, rooms);
      ms += performance.now() - began;
      questions += waiting.questions;
      rows += waiting.rows;
    }
    const cell = (value: string, width: number): string => value.padStart(width);
    process.stdout.write(
      `${cell(String(count), 7)}  ${cell(String(sources), 7)}  ${cell(String(targets), 7)}  ${cell(String(questions / looks), 9)}  ${cell(String(rows / looks), 9)}  ${cell((ms / looks).toFixed(2), 9)}  ${cell(String(admitted / looks), 6)}\n`,
    );
  }
}
