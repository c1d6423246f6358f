import type { StateName } from '../../domain/execution.ts';
import type { FactOf } from '../../domain/fact.ts';
import type { WorkflowShape } from '../../domain/workflow-shape.ts';
import type { Meter } from '../../ports/meter.ts';
import type { UnderWay } from './phase.ts';

/** How a call of a step ended, in as few words as there are ways. */
type StepOutcomeName =
  'done' | 'undone' | 'waited' | 'handed-over' | 'retried' | 'hindered' | 'retreated' | 'refused' | 'gave-up';

/** What a worker reports at the end of a call of a step. */
export type StepFact = FactOf<
  | 'step-finished'
  | 'step-waited'
  | 'handed-over'
  | 'step-failed'
  | 'step-hindered'
  | 'retreated'
  | 'undo-refused'
>;

/** @param after the state that the report has led to */
function outcomeOf(
  fact: StepFact['kind'],
  before: 'running' | 'rolling-back',
  after: StateName,
): StepOutcomeName {
  switch (fact) {
    case 'step-finished':
      return before === 'running' ? 'done' : 'undone';
    case 'undo-refused':
      return 'refused';
    case 'step-waited':
      return 'waited';
    case 'handed-over':
    case 'step-failed':
    case 'step-hindered':
    case 'retreated':
      return after === before ? goingOn[fact] : 'gave-up';
    default:
      return fact satisfies never;
  }
}

const goingOn = {
  'handed-over': 'handed-over',
  'step-failed': 'retried',
  'step-hindered': 'hindered',
  retreated: 'retreated',
} as const;

/** Counts one call of a step. @returns how it ended */
export function noteStep(
  meter: Meter,
  { name }: WorkflowShape,
  told: {
    readonly fact: StepFact['kind'];
    readonly ms: number;
    readonly before: UnderWay;
    readonly after: StateName;
  },
): StepOutcomeName {
  const { fact, ms, before, after } = told;
  const outcome = outcomeOf(fact, before.state, after);
  meter.note('StepMs', ms, { workflow: name, step: before.step, outcome });
  return outcome;
}

/** A worker has taken something up: what was due, or what another had fallen silent over. */
export function noteClaim(meter: Meter, phase: string, { lease, dueAt }: UnderWay, now: number): void {
  if (lease === undefined) meter.note('QueueWaitMs', Math.max(0, now - dueAt), { phase }, {});
  else meter.note('TakeOvers', 1, { phase }, {});
}
