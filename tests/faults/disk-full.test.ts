import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { labelOf } from '../../shared/domain/move.ts';
import { raiseFaultHosts, type FaultHosts } from '../support/fault-hosts.ts';
import { endClients, FaultyMove } from '../support/faulty-move.ts';
import { MoveProof } from '../support/move-proof.ts';

/** Only root may mount the small disk. Who is not is told, and can leave this suite out by name. */
const mayMount = userInfo().uid === 0 && process.platform === 'linux';
const megabytes = 80;

let folder: string | undefined;
let mounted: string | undefined;
let hosts: FaultHosts | undefined;
beforeAll(async () => {
  if (!mayMount) {
    throw new Error(
      'a small disk has to be mounted: run as root on Linux, or npm test -- --testPathIgnorePatterns disk-full',
    );
  }
  folder = mkdtempSync(path.join(tmpdir(), 'drayage-small-disk-'));
  chmodSync(folder, 0o755);
  const disk = path.join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(megabytes)}m,mode=755`, 'tmpfs', disk]);
  mounted = disk;
  hosts = await raiseFaultHosts({ target: { folder: disk } });
  // On a disk of its own: a server that cannot write its log gives up altogether, which is another fault.
  const { target } = hosts;
  const log = path.join(target.dataFolder, 'pg_wal');
  await target.stop();
  execFileSync('cp', ['-a', log, path.join(folder, 'log')]);
  rmSync(log, { recursive: true });
  symlinkSync(path.join(folder, 'log'), log);
  await target.start();
}, 120_000);
afterEach(endClients, 60_000);
afterAll(async () => {
  await hosts?.close();
  if (mounted !== undefined) execFileSync('umount', [mounted]);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, 60_000);

test('a target whose disk is full: the source serves as before, nothing is left on the target, and the move says which disk', async () => {
  if (hosts === undefined) throw new Error('the hosts were not raised');
  const move = await FaultyMove.begin(hosts, { content: { telemetry: 60 } });
  const proof = await MoveProof.begin(move);
  await move.deliver();
  expect(labelOf((await move.move()).execution)).toBe('rolled-back');
  expect(move.reasonsAbout(hosts.target)).toContain('disk-full');
  expect(await proof.ofStayed()).toEqual([]);
}, 120_000);
