import type { HostDriver } from '../../ports/driver.ts';
import { describe, discover } from './describe.ts';
import { examine } from './examine.ts';
import { begin } from './phases/all.ts';
import { findResidue, removeResidue } from './residue.ts';
import { takeStock } from './stock.ts';

/** PostgreSQL 15 to 18: online by its own logical replication, offline where the source cannot replicate. */
export const postgresDriver: HostDriver = {
  name: 'postgres',
  describe,
  discover,
  examine,
  begin,
  takeStock,
  findResidue,
  removeResidue,
};
