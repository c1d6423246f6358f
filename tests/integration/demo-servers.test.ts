import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { isRunning } from '../../local/demo/processes.ts';
import { startServer } from '../../local/demo/servers.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'drayage-servers-'));

beforeAll(() => {
  chmodSync(folder, 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function systemIdentifier(server: PostgresServer): Promise<string | undefined> {
  const client = await server.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      'SELECT system_identifier AS id FROM pg_control_system()',
    );
    return rows[0]?.id;
  } finally {
    await client.end();
  }
}

describe('a real server', () => {
  test.each([15, 16, 17, 18] as const)(
    'of major %i starts with logical WAL and a password',
    async (major) => {
      const server = await startServer({ name: `v${major.toString()}`, folder, binaries: major });
      try {
        expect(server.major).toBe(major);
        const client = await server.connect();
        const shown = await client.query<{ level: string; fsync: string }>(
          `SELECT current_setting('wal_level') AS level, current_setting('fsync') AS fsync`,
        );
        expect(shown.rows).toEqual([{ level: 'logical', fsync: 'on' }]);
        await client.end();
        const stranger = new pg.Client({ ...server.address, password: 'wrong', database: 'postgres' });
        await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
      } finally {
        await server.remove();
      }
      expect(existsSync(server.folder)).toBe(false);
    },
    60_000,
  );

  test('has the settings that it is given', async () => {
    const server = await startServer({
      name: 'plain',
      folder,
      walLevel: 'replica',
      settings: { max_wal_senders: 3 },
    });
    try {
      const client = await server.connect();
      const shown = await client.query(
        `SELECT current_setting('wal_level') AS level, current_setting('max_wal_senders') AS senders`,
      );
      expect(shown.rows).toEqual([{ level: 'replica', senders: '3' }]);
      await client.end();
    } finally {
      await server.remove();
    }
  }, 60_000);

  test('is a cluster of its own, though it is made like another', async () => {
    const [one, other] = await Promise.all([
      startServer({ name: 'one', folder }),
      startServer({ name: 'other', folder }),
    ]);
    try {
      expect(await systemIdentifier(one)).toMatch(/^\d{19}$/);
      expect(await systemIdentifier(one)).not.toBe(await systemIdentifier(other));
      const stranger = new pg.Client({
        ...one.address,
        password: other.address.password,
        database: 'postgres',
      });
      await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
    } finally {
      await Promise.all([one.remove(), other.remove()]);
    }
  }, 60_000);

  test('keeps what was committed when it is killed, and answers again after a pause', async () => {
    const server = await startServer({ name: 'killed', folder });
    try {
      await server.query('CREATE TABLE kept AS SELECT 1 AS one');
      await server.kill();
      expect(server.pid).toBeUndefined();
      await expect(server.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      await server.start();
      server.pause();
      const late = server.query('INSERT INTO kept VALUES (2)');
      expect(await Promise.race([late.then(() => 'answered'), sleep(300, 'silent')])).toBe('silent');
      server.resume();
      await late;
    } finally {
      await server.remove();
    }
  }, 60_000);

  test('ends, and leaves nothing in its folder, when its owner is killed', async () => {
    const servers = new URL('../../local/demo/servers.ts', import.meta.url).href;
    const owner = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { startServer } = await import(${JSON.stringify(servers)});
         const server = await startServer({ name: 'orphan', folder: ${JSON.stringify(folder)} });
         console.log(server.pid);
         setInterval(() => undefined, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const postmaster = await new Promise<number>((resolve) => {
      owner.stdout.once('data', (line: Buffer) => {
        resolve(Number(line.toString()));
      });
    });
    expect(readFileSync(path.join(folder, 'orphan', 'data', 'postmaster.pid'), 'utf8')).toMatch(
      `${postmaster.toString()}\n`,
    );
    owner.kill('SIGKILL');
    while (isRunning(postmaster)) await sleep(20);
    while (existsSync(path.join(folder, 'orphan', 'data'))) await sleep(20);
  }, 60_000);
});
