import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

/** A file system that is memory. */
export const memoryDisk = '/dev/shm';
const plentyBytes = 8e9;

/**
 * Where servers of tests and measurements have their data: in memory where there is plenty. Hundreds of databases are made and
 * dropped, of some three hundred files each, and ext4 spends an eighth of all time on looking for inodes that were not
 * used of late.
 */
export async function scratchRoot(): Promise<string> {
  const disk = await statfs(memoryDisk).catch(() => undefined);
  const free = Math.min((disk?.bavail ?? 0) * (disk?.bsize ?? 0), process.availableMemory());
  return free > plentyBytes ? memoryDisk : tmpdir();
}
