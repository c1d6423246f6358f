import { StepFailure } from '../domain/failure.ts';
import type { HostDriver } from '../ports/driver.ts';

/** Loads an engine of data when it is first needed: a process that moves no Redis never reads its code. */
export type DriverLoaders = Readonly<Record<string, () => Promise<HostDriver>>>;

/** The engines that ship. */
export const shippedDrivers: DriverLoaders = {
  postgres: async () => (await import('../drivers/postgres/driver.ts')).postgresDriver,
  simulated: async () => (await import('../drivers/simulated/driver.ts')).simulatedHttpDriver,
};

/** For functions that touch no host: their bundles carry no engine. */
export const noDrivers: DriverLoaders = {};

/** @returns a look-up that throws StepFailure `driver-unknown` naming those there are */
export function driverRegistry(loaders: DriverLoaders): (name: string) => Promise<HostDriver> {
  return async (name) => {
    const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
    if (load !== undefined) return load();
    const known = Object.keys(loaders);
    throw new StepFailure(
      {
        code: 'driver-unknown',
        sentence: `There is no driver "${name}" in this function.`,
        cure:
          known.length === 0
            ? 'Only functions that touch hosts carry drivers: this is a mistake of ours, please report it.'
            : `Register the host with one of: ${known.join(', ')}.`,
      },
      'fail',
    );
  };
}
