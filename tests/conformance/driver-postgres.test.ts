import { daily } from '../support/daily.ts';
import { describeDriver } from '../support/driver-conformance.ts';
import { reversible, stages } from '../support/move-trial.ts';
import { postgresFixture } from '../support/postgres-pair.ts';

/** The plain mover's suite has another; the crash matrix has all of them, on the embedded cloud. */
const deaths = daily(stages.slice(1), (stage) => ['provision', 'fence', 'fenceForGood'].includes(stage));
/** Undone the same way are those before and between these. */
const returns = daily(reversible, (stage) => ['copy', 'confirm'].includes(stage));

describeDriver('PostgreSQL 18', postgresFixture([18, 18], { crashPoints: 1, deaths, returns }));
