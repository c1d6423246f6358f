import { createDynamoClient, createDynamoOnceClient } from '../aws/clients.ts';
import { createQuery } from '../aws/rows-query.ts';
import { createStore } from '../aws/store.ts';
import { createViews } from '../aws/views.ts';
import type { ExplainServices } from '../workflow/explain/outlook.ts';
import { machineCalendar } from './calendar.ts';
import { machineChance } from './chance.ts';
import { machineClock } from './clock.ts';
import { platform } from './platform.ts';

let made: ExplainServices | undefined;

/** What a function works with that only reads the table: no other client is in its bundle. Made once in each process. */
export function readServices(): ExplainServices {
  made ??= createReadServices();
  return made;
}

function createReadServices(): ExplainServices {
  const { config } = platform();
  const clients = { local: config.isEmbedded };
  const fate = { clock: machineClock, chance: machineChance };
  const basis = { client: createDynamoClient(clients), table: config.TABLE_NAME, ...fate };
  return {
    // An answer is waited for, and reads many rows in small groups.
    store: createStore({ ...basis, onceClient: createDynamoOnceClient(clients), lanes: 4 }),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
    clock: machineClock,
    calendar: machineCalendar,
  };
}
