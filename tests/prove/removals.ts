import type { Removal } from './removal.ts';
import { admissionRemovals } from './removals/admission.ts';
import { arbiterRemovals } from './removals/arbiter.ts';
import { commandRemovals } from './removals/command.ts';
import { engineRemovals } from './removals/engine.ts';
import { hostRemovals } from './removals/host.ts';
import { identityRemovals } from './removals/identity.ts';
import { contentRemovals } from './removals/content.ts';
import { moveRemovals } from './removals/move.ts';
import { peopleRemovals } from './removals/people.ts';
import { planningRemovals } from './removals/planning.ts';
import { tableRemovals } from './removals/table.ts';

/** Every enforcement that is taken away, in the order of the invariants. */
export const everyRemoval: readonly Removal[] = [
  ...arbiterRemovals,
  ...tableRemovals,
  ...engineRemovals,
  ...admissionRemovals,
  ...moveRemovals,
  ...hostRemovals,
  ...identityRemovals,
  ...contentRemovals,
  ...peopleRemovals,
  ...planningRemovals,
  ...commandRemovals,
].toSorted((one, other) => one.invariant - other.invariant);
