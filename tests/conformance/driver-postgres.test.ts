import { daily } from '../support/daily.ts';
import { describeDriver } from '../support/driver-conformance.ts';
import { reversible, stages } from '../support/move-trial.ts';
import { postgresFixture } from '../support/postgres-pair.ts';

/** The plain mover's suite has three of the others; the whole crash matrix has all of them, on the embedded cloud. */
const deaths = daily(stages.slice(1), (stage) =>
  ['provision', 'catchUp', 'fence', 'confirm', 'fenceForGood', 'release'].includes(stage),
);
/** Undone the same way are those between these. */
const returns = daily(reversible, (stage) => ['provision', 'copy', 'fence', 'confirm'].includes(stage));

describeDriver('PostgreSQL 18', postgresFixture([18, 18], { crashPoints: 1, deaths, returns }));
