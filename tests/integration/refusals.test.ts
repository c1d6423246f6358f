import { setTimeout as sleep } from 'node:timers/promises';
import { PublishCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settingsFor } from '../../cli/client-settings.ts';
import { watchBatch } from '../../cli/watch-batch.ts';
import { Scene } from '../../local/demo/scene.ts';
import { planTenant } from '../../local/demo/tenants.ts';
import type { Topic } from '../../local/demo/fleet.ts';
import { alarmOfLag } from '../../local/fleet-demo/alarm-of-lag.ts';
import { createSnsClient } from '../../shared/aws/clients.ts';
import { hostName, type BatchId } from '../../shared/domain/ids.ts';
import type { Json } from '../../shared/domain/json.ts';
import { leftBehind } from '../support/left-behind.ts';

const settings = { max_replication_slots: 16, max_wal_senders: 16, max_active_replication_origins: 16 };
const tenant = planTenant('shop', { shop: 1 });
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.set({
    tenants: [tenant],
    hosts: [
      { name: 'a', settings },
      { name: 'b', settings },
      { name: 'old', binaries: 15, walLevel: 'replica' },
    ],
    writersPerTenant: 0,
  });
}, 180_000);
afterAll(async () => {
  await scene.strike();
}, 60_000);

/** What a publisher is told of one event. */
async function told(topic: Topic, type: string, data: Json, id?: string): Promise<unknown> {
  const outcome = await scene.fleet.outcome(await scene.fleet.publish(topic, type, data, id));
  if (outcome.kind !== 'refused') return outcome;
  expect(outcome.failure.cure.length).toBeGreaterThan(10);
  return { code: outcome.failure.code, field: outcome.field };
}

const ask = (data: Record<string, Json>, id?: string): Promise<unknown> =>
  told('requests', 'batch-move.requested', { reason: 'test', ...data }, id);

/** How a move that was accepted ended. */
async function reasonOf(target: string, policy: Json = {}): Promise<unknown> {
  const batch: BatchId = await scene.fleet.move(['shop'], target, 'test', { policy });
  for await (const { batch: now, moves } of watchBatch(scene.fleet.services, batch)) {
    if (now.state !== 'completed') continue;
    const status = moves[0]?.execution.status;
    return status?.state === 'rolled-back' ? status.reason : status;
  }
  return undefined;
}

describe('a request that cannot be carried out is refused with a code, the field and the cure', () => {
  test('unknown names, a move to where it is, and a form that is not ours', async () => {
    expect(await ask({ endpoints: ['shop'], target: 'nowhere' })).toEqual({
      code: 'host-unknown',
      field: 'data.target',
    });
    expect(await ask({ endpoints: ['shop'], target: 'a' })).toEqual({
      code: 'source-is-target',
      field: 'data.endpoints[0]',
    });
    expect(await ask({ endpoints: ['nobody'], target: 'b' })).toEqual({
      code: 'endpoint-unknown',
      field: 'data.endpoints[0]',
    });
    expect(await ask({ host: 'nowhere' })).toEqual({ code: 'host-unknown', field: 'data.host' });
    expect(await ask({ endpoints: ['shop'], target: 'b', tarhget: 'c' })).toMatchObject({
      field: expect.stringMatching(/tarhget/),
    });
    expect(await told('host-changes', 'host.draining', { host: 'nowhere', reason: 'test' })).toMatchObject({
      code: 'host-unknown',
    });
  });

  test('a target of an older major', async () => {
    expect(await ask({ endpoints: ['shop'], target: 'old' })).toEqual({
      code: 'no-target',
      field: 'data.endpoints',
    });
  });

  test('a target without room, while it has none', async () => {
    const { store } = scene.fleet.services;
    const host = await store.load('host', { name: hostName('b') });
    if (host === undefined) throw new Error('no host b');
    const small = await store.commit('host', host, { ...host, capacityBytes: 1_000_000 });
    if (small.kind === 'conflict') throw new Error('host b has changed');
    expect(await ask({ endpoints: ['shop'], target: 'b' })).toEqual({
      code: 'no-target',
      field: 'data.endpoints',
    });
    await store.commit('host', small.record, { ...host, version: small.record.version });
  });

  test('the id of an earlier request with another body', async () => {
    const id = 'used-once';
    expect(await ask({ endpoints: ['nobody'] }, id)).toMatchObject({ code: 'endpoint-unknown' });
    await scene.fleet.publish(
      'requests',
      'batch-move.requested',
      { reason: 'test', endpoints: ['shop'] },
      id,
    );
    const { store } = scene.fleet.services;
    const source = '/drayage/demo';
    const first = await store.load('request', { source, id });
    expect(first?.outcome).toMatchObject({ kind: 'refused', failure: { code: 'endpoint-unknown' } });
    expect((await scene.fleet.placement('shop'))?.claim).toBeUndefined();
  });

  test('a host with a wrong password, one that does not answer, and one whose driver nobody has', async () => {
    const { port } = scene.server('b').address;
    const host = { name: 'wrong', driver: 'postgres', zone: 'z', secret: 'drayage/local/hosts/a' };
    const told1 = await told('host-changes', 'host.registered', {
      ...host,
      url: `postgres://nobody@127.0.0.1:${String(port)}/postgres`,
    });
    expect(told1).toMatchObject({ code: 'wrong-password' });
    const told2 = await told('host-changes', 'host.registered', {
      ...host,
      url: 'postgres://postgres@127.0.0.1:1/postgres',
    });
    expect(told2).toMatchObject({ code: 'host-unreachable' });
    const told3 = await told('host-changes', 'host.registered', {
      ...host,
      driver: 'oracle',
      url: 'oracle://x@127.0.0.1:1',
    });
    expect(told3).toMatchObject({ code: expect.stringMatching(/driver/) });
  });
});

describe('a move that cannot be made ends before anything on a host was changed', () => {
  test('a role that the target does not have', async () => {
    await scene.server('b').query(`DROP ROLE "${tenant.owner.user}"`);
    expect(await reasonOf('b')).toMatchObject({
      code: expect.stringMatching(/role/),
      cure: expect.stringContaining('copy'),
    });
  });

  test('nothing is left on any host, and the endpoint is free and where it was', async () => {
    expect(await Promise.all(scene.servers.map((server) => leftBehind(server)))).toEqual([[], [], []]);
    const placement = await scene.fleet.placement('shop');
    expect(placement).toMatchObject({ host: 'a', epoch: 1, arbitration: { kind: 'serving' } });
    expect(placement?.claim).toBeUndefined();
  });
});

test('a host of which an alarm says that it lags takes fewer moves at once', async () => {
  const sns = createSnsClient(settingsFor(scene.cloud.env, 'SNS'));
  await sns.send(
    new PublishCommand({
      TopicArn: scene.cloud.outputs['ScaleTopicArn'],
      Message: JSON.stringify(alarmOfLag('b', 'ALARM')),
    }),
  );
  sns.destroy();
  const throttle = async () =>
    (await scene.fleet.services.store.load('host', { name: hostName('b') }))?.throttle;
  while ((await throttle()) === undefined) await sleep(100);
  expect((await throttle())?.in).toBeGreaterThan(0);
}, 60_000);
