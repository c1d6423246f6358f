import type { Services } from '../workflow/services.ts';
import { shippedDrivers } from './drivers.ts';
import { createServices } from './services.ts';

let made: Services | undefined;

/** What functions that touch hosts work with: all that the others have, and the engines of data. */
export function hostServices(): Services {
  made ??= createServices(shippedDrivers);
  return made;
}
