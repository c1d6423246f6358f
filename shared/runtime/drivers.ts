import { StepFailure } from '../domain/failure.ts';
import type {
  CutoverSession,
  HostDriver,
  Mover,
  RetireSession,
  RollbackSession,
  TransferSession,
} from '../ports/driver.ts';

/** Loads an engine of data, or a part of it, when it is first needed: a process that moves no Redis never reads its code. */
export type DriverLoaders<Driver> = Readonly<Record<string, () => Promise<Driver>>>;

const simulated = async (): Promise<HostDriver> =>
  (await import('../drivers/simulated/driver.ts')).simulatedHttpDriver;

/** The engines that ship. */
export const shippedDrivers: DriverLoaders<HostDriver> = {
  postgres: async () => (await import('../drivers/postgres/driver.ts')).postgresDriver,
  simulated,
};

// What a function has to do with of them: its bundle carries no more.

/** For whoever registers hosts. */
export const describingDrivers: DriverLoaders<Pick<HostDriver, 'describe'>> = {
  postgres: () => import('../drivers/postgres/describe.ts'),
  simulated,
};

/** For the sweep of hosts. */
export const sweepingDrivers: DriverLoaders<Pick<HostDriver, 'findResidue' | 'removeResidue'>> = {
  postgres: () => import('../drivers/postgres/residue.ts'),
  simulated,
};

export const transferDrivers: DriverLoaders<Mover<TransferSession>> = {
  postgres: () => import('../drivers/postgres/phases/transfer.ts'),
  simulated,
};

export const cutoverDrivers: DriverLoaders<Mover<CutoverSession>> = {
  postgres: () => import('../drivers/postgres/phases/cutover.ts'),
  simulated,
};

export const retireDrivers: DriverLoaders<Mover<RetireSession>> = {
  postgres: () => import('../drivers/postgres/phases/retire.ts'),
  simulated,
};

export const rollbackDrivers: DriverLoaders<Mover<RollbackSession>> = {
  postgres: () => import('../drivers/postgres/phases/rollback.ts'),
  simulated,
};

/** @returns a look-up that throws StepFailure `driver-unknown` naming those there are */
export function driverRegistry<Driver>(loaders: DriverLoaders<Driver>): (name: string) => Promise<Driver> {
  return async (name) => {
    const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
    if (load !== undefined) return load();
    throw new StepFailure(
      {
        code: 'driver-unknown',
        sentence: `There is no driver "${name}" in this function.`,
        cure: `Register the host with one of: ${Object.keys(loaders).join(', ')}.`,
      },
      'fail',
    );
  };
}
