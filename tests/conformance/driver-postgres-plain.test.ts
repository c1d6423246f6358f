import { describeDriver } from '../support/driver-conformance.ts';
import { postgresFixture } from '../support/postgres-pair.ts';

describeDriver(
  'PostgreSQL 16, with a mover that is no superuser,',
  postgresFixture([16, 16], { mover: 'plain', deathsOnly: true, deaths: ['copy', 'settle', 'open'] }),
);
