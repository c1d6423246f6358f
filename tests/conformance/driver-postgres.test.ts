import { describeDriver } from '../support/driver-conformance.ts';
import { postgresFixture } from '../support/postgres-pair.ts';

describeDriver('PostgreSQL 18', postgresFixture([18, 18], { crashPoints: 1 }));
