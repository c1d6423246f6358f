import type { Move } from '../../domain/move.ts';
import type { CutoverSession } from '../../ports/driver.ts';
import type { Step } from '../engine/workflow.ts';
import { activate } from './activate.ts';
import { confirm, cutover, freeze, settle } from './cutover.ts';
import type { MoveScene } from './scene.ts';
import type { Phase, StepIn } from './workflow.ts';

const steps = {
  // Work that has grown stale in line goes back to it; there is nothing to undo.
  verify: {},
  freeze,
  settle,
  confirm,
  cutover,
  activate,
} as const satisfies Record<'verify' | StepIn<'cutover'>, Step<Move, MoveScene<CutoverSession>>>;

/** Steps 7 to 11. */
export const cutoverPhase: Phase<CutoverSession> = { name: 'cutover', steps };
