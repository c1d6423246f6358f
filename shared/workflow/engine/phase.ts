import type { Execution, RollingBackState, RunningState } from '../../domain/execution.ts';
import { isOf, phaseOf, type WorkflowShape } from '../../domain/workflow-shape.ts';

export type UnderWay = RunningState | RollingBackState;

/** What a worker could go on with; undefined for what has not begun or has ended. */
export function underWay({ status }: Execution): UnderWay | undefined {
  return status.state === 'running' || status.state === 'rolling-back' ? status : undefined;
}

export function phaseOfStatus(shape: WorkflowShape, status: UnderWay): string {
  return status.state === 'running' ? phaseOf(shape, status.step) : shape.rollbackPhase;
}

/** The phase that a task's next piece of work belongs to; undefined when there is none, or none that we know. */
export function phaseOfTask(shape: WorkflowShape, execution: Execution): string | undefined {
  const status = isOf(shape, execution) ? underWay(execution) : undefined;
  return status === undefined ? undefined : phaseOfStatus(shape, status);
}
