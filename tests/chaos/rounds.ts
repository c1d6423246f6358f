import { setTimeout as sleep } from 'node:timers/promises';
import { watchBatch } from '../../cli/watch-batch.ts';
import { readBatch } from '../../shared/workflow/explain/look-at-batch.ts';
import type { Scene } from '../../local/demo/scene.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { labelOf } from '../../shared/domain/move.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Dice } from '../support/dice.ts';

/** How moves end, for good: a copy that is kept is retired at once here. */
const ended = new Set(['retired', 'rolled-back', 'stuck']);

/** Every move that was made, the last of each endpoint first found by its name. */
export interface Moves {
  readonly all: readonly Move[];
  readonly last: ReadonlyMap<string, Move>;
}

/**
 * Sends endpoints to and fro between the hosts until so many moves have ended, or time is over: each round
 * one batch to one host, of everything that is not there yet.
 */
export async function moveAround(
  scene: Scene,
  options: { readonly moves: number; readonly until: number; readonly dice: Dice },
): Promise<Moves> {
  const all: Move[] = [];
  const last = new Map<string, Move>();
  while (all.length < options.moves && Date.now() < options.until) {
    const target = options.dice.pick(scene.servers);
    const away: string[] = [];
    for (const { name } of scene.tenants) {
      if ((await scene.fleet.placement(name))?.host !== target.name) away.push(name);
    }
    const chosen = away.slice(0, options.moves - all.length);
    if (chosen.length === 0) continue;
    const batch = await scene.fleet.move(chosen, target.name, 'chaos', { policy: { retention: 0 } });
    for (const move of await untilEnded(scene, batch)) {
      all.push(move);
      last.set(move.endpoint, move);
    }
  }
  return { all, last };
}

async function untilEnded(scene: Scene, batch: BatchId): Promise<readonly Move[]> {
  for await (const { batch: now } of watchBatch(scene.fleet.services, batch))
    if (now.state === 'completed') break;
  for (;;) {
    const snapshot = await readBatch(scene.fleet.services, batch);
    if (snapshot === undefined) throw new Error(`there is no batch ${batch}`);
    if (snapshot.moves.every(({ execution }) => ended.has(labelOf(execution)))) return snapshot.moves;
    await sleep(250);
  }
}
