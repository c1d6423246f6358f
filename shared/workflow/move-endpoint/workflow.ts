import type { Fact } from '../../domain/fact.ts';
import { isMoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import { placeOfMove } from '../../domain/trace.ts';
import { moveEndpointShape, type WorkflowShape } from '../../domain/workflow-shape.ts';
import type { Store } from '../../ports/store.ts';
import type { Closable } from '../../ports/driver.ts';
import type { Step, Tasks, Workflow } from '../engine/workflow.ts';
import { MoveScene, type MoveServices } from './scene.ts';

type MoveStep = (typeof moveEndpointShape.steps)[number];
export type StepName = MoveStep['name'];
export type StepIn<Name extends MoveStep['phase']> = Extract<MoveStep, { readonly phase: Name }>['name'];

/** What the function of a phase can do, and what that needs of a driver. */
export interface Phase<Session extends Closable> {
  readonly name: string;
  readonly steps: Readonly<Record<string, Step<Move, MoveScene<Session>>>>;
}

/** One phase of the twelve steps of a move, over the given services. */
export function moveEndpoint<Session extends Closable>(
  services: MoveServices<Session>,
  { steps }: Phase<Session>,
): Workflow<Move, MoveScene<Session>> {
  return {
    shape: moveShape(services),
    steps,
    tasks: movesIn(services.store),
    about: ({ id, batch, endpoint }) => ({ move: id, batch, endpoint }),
    placeOf: placeOfMove,
    open: (hand) => MoveScene.open(services, hand),
    close: (scene) => scene.close(),
  };
}

export function moveShape({ settings }: Pick<MoveServices, 'settings'>): WorkflowShape {
  return { ...moveEndpointShape, limits: { ...moveEndpointShape.limits, patienceMs: settings.patienceMs } };
}

/** A claim says who may try, so it travels alone; other facts of one moment travel together. */
const alone: readonly Fact['kind'][] = ['claimed'];

function movesIn(store: Store): Tasks<Move> {
  return {
    load: (id) => (isMoveId(id) ? store.load('move', { id }) : Promise.resolve(undefined)),
    async commit(before, after) {
      if (!alone.some((kind) => kind === after.execution.last.fact))
        return store.commit('move', before, after);
      const answer = await store.commitAlone('move', before, after);
      // A claim of which nothing is known is not acted on: its dead-man message, sent before, sees to it.
      return answer.kind === 'unknown' ? { kind: 'conflict' } : answer;
    },
  };
}
