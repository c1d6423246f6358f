import { describe, expect, test } from '@jest/globals';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { policyDefaults } from '../../shared/contracts/events/policy.ts';

const receivedAt = 1_790_000_000_000;

const parse = (type: string, data: unknown, time?: string) =>
  parseHostChange(
    JSON.stringify({ specversion: '1.0', id: '1', source: '/ops', type, time, data }),
    receivedAt,
  );
const read = (type: string, data: unknown, time?: string) => {
  const parsed = parse(type, data, time);
  if (parsed.kind === 'refused') throw new Error(`refused: ${JSON.stringify(parsed.refusal)}`);
  return parsed.event;
};
const refused = (type: string, data: unknown) => {
  const parsed = parse(type, data);
  if (parsed.kind === 'event') throw new Error(`accepted: ${JSON.stringify(parsed.event)}`);
  return parsed.refusal;
};

const host = { name: 'db1', driver: 'postgres', url: 'postgres://mover@10.0.0.1/postgres', zone: 'z1' };

describe('host.registered', () => {
  test('takes both addresses from the url unless they are given', () => {
    expect(read('host.registered', host)).toEqual({
      kind: 'register',
      host: 'db1',
      driver: 'postgres',
      url: host.url,
      replicationAddress: '10.0.0.1:5432',
      clientAddress: '10.0.0.1:5432',
      zone: 'z1',
      options: {},
    });
    const addresses = { replicationAddress: '[fd00::1]:6000', clientAddress: 'db1.example:6432' };
    expect(read('host.registered', { ...host, ...addresses })).toMatchObject(addresses);
  });

  test('takes an IPv6 address and a simulated host', () => {
    expect(read('host.registered', { ...host, url: 'postgres://mover@[::1]:5433/x' })).toMatchObject({
      clientAddress: '[::1]:5433',
    });
    const simulated = { ...host, driver: 'simulated', url: 'sim://127.0.0.1:9000/one' };
    expect(read('host.registered', simulated)).toMatchObject({ replicationAddress: '127.0.0.1:9000' });
  });

  test('keeps the lines of a certificate among the options', () => {
    const options = { ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' };
    expect(read('host.registered', { ...host, options })).toMatchObject({ options });
  });

  test.each([
    'postgres://mover:hunter2@10.0.0.1/postgres',
    'postgres://mover@10.0.0.1/postgres?password=hunter2',
    'postgres://mover@10.0.0.1/postgres?sslpassword=hunter2',
  ])('refuses the password in %s, says where it belongs, and does not repeat it', (url) => {
    const refusal = refused('host.registered', { ...host, url });
    expect(refusal).toMatchObject({ code: 'password-in-url', field: 'data.url' });
    expect(refusal.cure).toContain('data.secret');
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });

  test.each([
    [{ url: 'db1' }, 'host-url', 'data.url'],
    [{ url: 'postgres:///x' }, 'host-url', 'data.url'],
    [{ secret: 'correct horse battery' }, 'field-invalid', 'data.secret'],
    [{ driver: 'Postgres!' }, 'field-invalid', 'data.driver'],
    [{ replicationAddress: 'http://x' }, 'field-invalid', 'data.replicationAddress'],
    [{ capacityBytes: '1 TB' }, 'field-invalid', 'data.capacityBytes'],
    [{ password: 'hunter2' }, 'field-unknown', 'data.password'],
    [{ zone: undefined }, 'field-missing', 'data.zone'],
  ])('is refused with %j', (part, code, field) => {
    expect(refused('host.registered', { ...host, ...part })).toMatchObject({ code, field });
  });
});

describe('what people want of a host', () => {
  test('is ordered by their own sequence, else by the time of the event, else by its arrival', () => {
    const data = { host: 'db1', reason: 'fan 3 is failing' };
    expect(read('host.draining', { ...data, sequence: 7 })).toMatchObject({ sequence: 7 });
    expect(read('host.draining', data, '2026-09-21T14:13:20Z')).toMatchObject({
      sequence: Date.parse('2026-09-21T14:13:20Z'),
    });
    expect(read('host.draining', data)).toMatchObject({ sequence: receivedAt });
  });

  test('a drain carries a whole policy', () => {
    const policy = { roles: 'copy', pauseBudget: 'PT1S' };
    expect(read('host.draining', { host: 'db1', reason: 'x', target: 'db2', policy })).toEqual({
      kind: 'drain',
      host: 'db1',
      target: 'db2',
      reason: 'x',
      sequence: receivedAt,
      policy: { ...policyDefaults, roles: 'copy', pauseBudgetMs: 1_000 },
    });
  });

  test('cordons and uncordons', () => {
    expect(read('host.cordoned', { host: 'db1', reason: 'x' })).toMatchObject({
      kind: 'cordon',
      reason: 'x',
    });
    expect(read('host.uncordoned', { host: 'db1' })).toMatchObject({
      kind: 'uncordon',
      reason: 'uncordoned',
    });
  });

  test.each([
    ['host.draining', { host: 'db1', reason: 'x', target: 'db1' }, 'source-is-target', 'data.target'],
    ['host.draining', { host: 'db1' }, 'field-missing', 'data.reason'],
    ['host.draining', { host: 'db1', reason: 'x', sequence: -1 }, 'field-invalid', 'data.sequence'],
    ['host.cordoned', { host: 'db 1', reason: 'x' }, 'field-invalid', 'data.host'],
    ['host.vanished', { host: 'db1' }, 'type-unknown', 'type'],
  ])('%s is refused with %j', (type, data, code, field) => {
    expect(refused(type, data)).toMatchObject({ code, field });
  });
});
