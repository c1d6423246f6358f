import { daily } from '../support/daily.ts';
import { describeDriver } from '../support/driver-conformance.ts';
import { postgresFixture } from '../support/postgres-pair.ts';

/** The superuser's suite has each of them. */
const returns = daily(['provision', 'copy', 'fence', 'confirm'] as const, (stage) => stage === 'confirm');

describeDriver(
  'PostgreSQL 16, with a mover that is no superuser,',
  postgresFixture([16, 16], {
    mover: 'plain',
    deathsOnly: true,
    deaths: ['copy', 'settle', 'open'],
    returns,
  }),
);
