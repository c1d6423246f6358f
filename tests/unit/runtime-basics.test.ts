import { describe, expect, test } from '@jest/globals';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { ConfigInvalid, readConfig } from '../../shared/runtime/config.ts';
import {
  cutoverDrivers,
  describingDrivers,
  driverRegistry,
  retireDrivers,
  rollbackDrivers,
  shippedDrivers,
  sweepingDrivers,
  transferDrivers,
} from '../../shared/runtime/drivers.ts';
import { redact, redactText } from '../../shared/runtime/log.ts';
import { variables } from '../support/runtime-environment.ts';

describe('the configuration', () => {
  test('is read from the environment', () => {
    expect(readConfig(variables)).toMatchObject({
      INSTALLATION: 'test',
      LEASE_MS_CUTOVER: 2_000,
      isEmbedded: false,
    });
  });

  test.each([
    ['http://127.0.0.1:4566', true],
    ['http://localhost:4566/', true],
    ['http://[::1]:4566', true],
    ['https://dynamodb.eu-central-1.amazonaws.com', false],
    ['https://127.0.0.1.attacker.example', false],
  ])('with the endpoint %s, being embedded is %p', (endpoint, isEmbedded) => {
    expect(readConfig({ ...variables, AWS_ENDPOINT_URL: endpoint }).isEmbedded).toBe(isEmbedded);
  });

  test.each([
    ['TABLE_NAME', undefined],
    ['INSTALLATION', 'My Laptop'],
    ['INSTALLATION', 'thirteenchars'],
    ['LEASE_MS_TRANSFER', 'soon'],
    ['LEASE_MS_TRANSFER', '0'],
    ['PLAN_QUEUE_URL', 'plan'],
  ])('names the variable when %s is %p', (name, value) => {
    const read = () => readConfig({ ...variables, [name]: value });
    expect(read).toThrow(ConfigInvalid);
    expect(read).toThrow(name);
  });
});

describe('the clock', () => {
  test('wakes a sleeper at once when its signal is aborted, before or during its sleep', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await machineClock.sleep(1_000_000, AbortSignal.abort());
    const controller = new AbortController();
    const sleep = machineClock.sleep(1_000_000, controller.signal);
    controller.abort();
    await sleep;
    expect(timers()).toBe(before);
  });

  test('ticks until it is told to stop', async () => {
    const twice = Promise.withResolvers<undefined>();
    let ticks = 0;
    const stop = machineClock.every(1, () => {
      ticks += 1;
      if (ticks === 2) twice.resolve(undefined);
    });
    await twice.promise;
    stop();
    const before = ticks;
    await machineClock.sleep(10);
    expect(ticks).toBe(before);
  });
});

describe('chance', () => {
  test('tells parts apart by where they end', () => {
    expect(machineChance.digest('ab', 'c')).not.toBe(machineChance.digest('a', 'bc'));
    expect(machineChance.digest('ab', 'c')).toBe(machineChance.digest('ab', 'c'));
    expect(machineChance.digest('ab', 'c')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('stays within its interval and does not repeat itself', () => {
    const fractions = Array.from({ length: 1_000 }, () => machineChance.fraction());
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    expect(new Set(fractions).size).toBe(1_000);
    expect(machineChance.unique()).not.toBe(machineChance.unique());
  });
});

describe('the log', () => {
  test.each([
    ['postgres://mover:hunter2@db1:5432/x', 'postgres://mover:***@db1:5432/x'],
    ["host=db1 password=hunter2 user='x'", "host=db1 password=*** user='x'"],
    ["host=db1 password = 'hun ter2\\'3' port=1", 'host=db1 password = *** port=1'],
    ['connection to db1 at 10:30', 'connection to db1 at 10:30'],
  ])('takes the password out of %s', (text, safe) => {
    expect(redactText(text)).toBe(safe);
    expect(redact('message', text)).toBe(safe);
  });

  test('takes out what stands under a secret name', () => {
    expect(redact('password', 'hunter2')).toBe('***');
    expect(redact('SecretString', { a: 1 })).toBe('***');
    expect(redact('secret', 'drayage/dev/db1')).toBe('drayage/dev/db1');
  });
});

describe('the drivers', () => {
  test('that ship are found by their names', async () => {
    for (const name of ['postgres', 'simulated']) {
      expect((await driverRegistry(shippedDrivers)(name)).name).toBe(name);
    }
  });

  test.each(['oracle', 'toString', '__proto__'])(
    '"%s" is none of them, and the failure says which there are',
    async (name) => {
      await expect(driverRegistry(shippedDrivers)(name)).rejects.toMatchObject({
        failure: { code: 'driver-unknown', cure: expect.stringContaining('postgres, simulated') },
        verdict: 'fail',
      });
    },
  );

  test('are known to every function that touches hosts, each with its part of them', () => {
    const parts = {
      describingDrivers,
      sweepingDrivers,
      transferDrivers,
      cutoverDrivers,
      retireDrivers,
      rollbackDrivers,
    };
    for (const part of Object.values(parts))
      expect(Object.keys(part).sort()).toEqual(Object.keys(shippedDrivers).sort());
  });
});
