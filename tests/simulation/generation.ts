import { relayChanges } from '../../shared/workflow/relay-changes.ts';
import { fanOutHostSweep } from '../../shared/workflow/sweep/sweep-host.ts';
import { sweepRows } from '../../shared/workflow/sweep/sweep-rows.ts';
import { handle } from './functions.ts';
import { servicesOf } from './ports.ts';

/** What of a release runs in a process: what functions do, and the ports over what all processes share. */
export const generation = { handle, relayChanges, sweepRows, fanOutHostSweep, servicesOf };
export type Generation = typeof generation;
