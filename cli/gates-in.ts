import { gatesOf, type Closed } from '../shared/domain/gate.ts';
import type { Move } from '../shared/domain/move.ts';
import type { BatchSnapshot } from './batch-report.ts';

/** What people and the clock hold back of a batch, as it was at the moment of a look. */
export const gatesIn = ({
  at,
  batch,
  hosts = new Map(),
  said = { fleet: {} },
}: BatchSnapshot): ((move: Move) => Closed | undefined) => gatesOf({ ...said, batch }, hosts, at);
