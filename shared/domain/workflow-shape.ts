/**
 * What a workflow looks like, as data: enough to decide every transition without knowing what a step does.
 */
export interface StepShape {
  readonly name: string;
  /** The queue, function and lease that this step runs under. */
  readonly phase: string;
  /**
   * Somebody waits while this step and its successor run: its end is recorded while the successor works. A
   * worker that finds such a step asks first whether an earlier one has gone further than the record says.
   */
  readonly hurried?: true;
  /** Whatever it does stands in our own record: work that has come no further can be begun anew at any time. */
  readonly leavesNothing?: true;
}

export interface WorkflowShape {
  /** Of these steps in this order: with any others the name is another. */
  readonly name: string;
  readonly steps: readonly [StepShape, ...StepShape[]];
  /** The phase in which undos run. */
  readonly rollbackPhase: string;
  /** Coarse states by phase, for indexes and people: `transfer` → `transferring`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: WorkflowLimits;
}

export interface WorkflowLimits {
  /** Failures that a step may report before the work is rolled back. */
  readonly attempts: number;
  /** The same for a step that can only go forward, before a person is called. */
  readonly forwardAttempts: number;
  /** Consecutive hand-overs without progress before the step counts as failed for good. */
  readonly idleHandovers: number;
  /** Workers that may die in a row on one step without progress: a step that kills its process must end too. */
  readonly deaths: number;
  /** How long a step is kept waiting by a host that is down before the work is undone, where it still can be. */
  readonly patienceMs: number;
  /** How often a step may send the work back to an earlier one. */
  readonly retreats: number;
  readonly backoffMs: number;
  readonly backoffCapMs: number;
}

/** Has this work begun by this shape? If not, another release has made it: nothing of it may be decided here. */
export const isOf = (shape: WorkflowShape, { workflow }: { readonly workflow: string }): boolean =>
  workflow === shape.name;

export function stepIndex(shape: WorkflowShape, step: string): number {
  return shape.steps.findIndex((each) => each.name === step);
}

export function firstStep(shape: WorkflowShape): StepShape {
  return shape.steps[0];
}

export function stepAfter(shape: WorkflowShape, step: string): StepShape | undefined {
  const index = stepIndex(shape, step);
  return index < 0 ? undefined : shape.steps[index + 1];
}

export function stepBefore(shape: WorkflowShape, step: string): StepShape | undefined {
  const index = stepIndex(shape, step);
  return index < 1 ? undefined : shape.steps[index - 1];
}

/** @throws RangeError for a step that the workflow does not have: a row of another version, never a user's doing. */
export function stepOf(shape: WorkflowShape, step: string): StepShape {
  const found = shape.steps[stepIndex(shape, step)];
  if (found === undefined) throw new RangeError(`workflow ${shape.name} has no step "${step}"`);
  return found;
}

/** @throws RangeError as `stepOf` */
export function phaseOf(shape: WorkflowShape, step: string): string {
  return stepOf(shape, step).phase;
}

/** Has work that stands in this step done nothing yet that would have to be undone? */
export function hasLeftNothing(shape: WorkflowShape, step: string): boolean {
  return shape.steps
    .slice(0, stepIndex(shape, step) + 1)
    .every(({ leavesNothing }) => leavesNothing === true);
}

/**
 * The move of one endpoint. Steps 1–6 transfer, 7–11 cut over, 12 retires the source copy.
 */
export const moveEndpointShape = {
  name: 'move-endpoint',
  steps: [
    { name: 'preflight', phase: 'transfer', leavesNothing: true },
    { name: 'reserve', phase: 'transfer', leavesNothing: true },
    { name: 'provision', phase: 'transfer' },
    { name: 'copy', phase: 'transfer' },
    { name: 'catch-up', phase: 'transfer' },
    { name: 'verify', phase: 'transfer' },
    { name: 'freeze', phase: 'cutover', hurried: true },
    { name: 'settle', phase: 'cutover', hurried: true },
    { name: 'confirm', phase: 'cutover', hurried: true },
    { name: 'cutover', phase: 'cutover', hurried: true },
    { name: 'activate', phase: 'cutover' },
    { name: 'retire', phase: 'retire' },
  ],
  rollbackPhase: 'rollback',
  labels: {
    transfer: 'transferring',
    cutover: 'cutting-over',
    retire: 'moved',
    rollback: 'rolling-back',
  },
  limits: {
    attempts: 3,
    forwardAttempts: 10,
    idleHandovers: 5,
    deaths: 30,
    patienceMs: 900_000,
    retreats: 8,
    backoffMs: 1_000,
    backoffCapMs: 60_000,
  },
} as const satisfies WorkflowShape;
