import { describe, expect, test } from '@jest/globals';
import { labelOf } from '../../shared/domain/move.ts';
import { loadHost, siteOf } from '../../shared/workflow/host-site.ts';
import { MoveBench } from '../support/move-bench.ts';

describe('a password that hosts refuse because it was rotated', () => {
  test('is fetched again, and the move goes on as if nothing had been', async () => {
    const bench = new MoveBench();
    await bench.begin();
    bench.passwords.set('password', 'the one before');
    bench.beforeCall = (call) => {
      if (call === 'preflight') bench.passwords.set('password', 'secret');
    };
    await bench.deliver(({ execution }) => labelOf(execution) === 'moved');
    const { execution } = await bench.move();
    expect(labelOf(execution)).toBe('moved');
    expect(execution.status).toMatchObject({ failures: 0 });
  });

  test('ends the move when it is as wrong the second time, with the host and the cure', async () => {
    const bench = new MoveBench();
    await bench.begin();
    bench.passwords.set('password', 'wrong');
    await bench.deliver();
    expect(await bench.move()).toMatchObject({
      execution: {
        status: {
          state: 'rolled-back',
          reason: { code: 'authentication-failed', cure: expect.stringContaining('secret') },
        },
      },
    });
  });

  test('is asked for by one connection after the other, and only while it is the one that was refused', async () => {
    const bench = new MoveBench();
    const host = await bench.addHost('a');
    const site = await siteOf(bench.services, await loadHost(bench.services, host.name));
    expect(await site.renewPassword?.('secret')).toBe(false);
    bench.passwords.set('password', 'rotated');
    expect(await site.renewPassword?.('secret')).toBe(true);
    bench.passwords.delete('password');
    expect(await site.renewPassword?.('secret')).toBe(true);
    expect(site.password).toBe('rotated');
    await expect(site.renewPassword?.('rotated')).rejects.toMatchObject({
      failure: { code: 'secret-missing' },
    });
  });

  test('is nothing to ask for where a host has no secret', async () => {
    const bench = new MoveBench();
    const { secret: _, ...host } = await bench.addHost('a');
    expect(await siteOf(bench.services, host)).toMatchObject({ password: undefined });
    expect((await siteOf(bench.services, host)).renewPassword).toBeUndefined();
  });
});
