import { describeDriver } from '../support/driver-conformance.ts';
import { httpFixture, inProcessFixture } from '../support/simulated-pair.ts';

describeDriver('simulated (in process)', inProcessFixture());
describeDriver('simulated (over HTTP)', httpFixture());
