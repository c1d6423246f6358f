import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { createClient, type Client } from '../../cli/client.ts';
import { findInstallation } from '../../cli/installation.ts';
import { createSqsClient } from '../../shared/aws/clients.ts';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { DeleteItemCommand, PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createDynamoClient } from '../../shared/aws/clients.ts';
import { settingsFor } from '../../cli/client-settings.ts';
import { startCloud, type Cloud } from '../../local/cloud.ts';
import { moveId } from '../../shared/domain/ids.ts';
import { moveOf, states } from '../support/sample-batch.ts';
import { hostileCorpus } from '../support/hostile-corpus.ts';
import { letterAnswer } from '../../shared/contracts/api/letters.ts';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { Dray } from '../support/dray-command.ts';

const root = new URL('../..', import.meta.url).pathname;

let folder: string;
let cloud: Cloud;
let dray: Dray;
let client: Client;
let sqs: SQSClient;
let dynamo: DynamoDBClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drayage-letters-'));
  cloud = await startCloud({
    root,
    stateDir: folder,
    stage: 'local',
    inMemory: true,
    scheduleSpeed: 0,
    // A message that fails is set aside in seconds.
    params: { maxReceiveCount: '3', retireVisibilityS: '1', planVisibilityS: '1', relayMaximumAgeS: '60' },
    onNotice: () => undefined,
  });
  dray = new Dray(folder);
  client = createClient(await findInstallation(folder, {}));
  sqs = createSqsClient(settingsFor(cloud.env, 'SQS'));
  dynamo = createDynamoClient(settingsFor(cloud.env, 'DYNAMODB'));
}, 180_000);

afterAll(async () => {
  client.close();
  sqs.destroy();
  dynamo.destroy();
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function send(queue: 'RetireQueueUrl' | 'PlanQueueUrl', body: string): Promise<string> {
  const { MessageId = '' } = await sqs.send(
    new SendMessageCommand({ QueueUrl: cloud.outputs[queue], MessageBody: body }),
  );
  return MessageId;
}

const listed = z.object({
  letters: z.array(
    z.object({
      id: z.string(),
      queue: z.string(),
      attempts: z.number(),
      about: z.string().nullable(),
      error: z.object({ code: z.string(), sentence: z.string(), cure: z.string() }),
      body: z.string(),
    }),
  ),
});

/** The dead letters, once there are so many; a limit only keeps a broken run from hanging. */
async function letters(many: number) {
  for (let look = 0; look < 60; look += 1) {
    const { value } = await dray.json(['dead-letters', 'list']);
    const found = listed.parse(value).letters;
    if (found.length === many) return found;
    await delay(500);
  }
  throw new Error(`there were never ${String(many)} dead letters`);
}

const poison = moveId('mv_poison0000000000');
const work = JSON.stringify({ v: 1, kind: 'work', task: poison, phase: 'retire' });

describe('a message on which its function fails', () => {
  let stranger: string;
  let unreadable: string;

  test('is set aside with the reason, is counted, and holds up no other', async () => {
    const well = moveOf(7, 'well', states.completed);
    await client.store.insert('move', well);
    const row = { pk: `MOVE#${poison}`, sk: 'MOVE', version: 1, kind: 'move' };
    await dynamo.send(
      new PutItemCommand({
        TableName: cloud.outputs['TableName'],
        Item: {
          pk: { S: row.pk },
          sk: { S: row.sk },
          kind: { S: row.kind },
          version: { N: '1' },
          colour: { S: 'red' },
        },
      }),
    );
    stranger = await send('PlanQueueUrl', 'not json');
    unreadable = await send('RetireQueueUrl', work);
    for (let nth = 0; nth < 5; nth += 1) {
      await send('RetireQueueUrl', JSON.stringify({ v: 1, kind: 'work', task: well.id, phase: 'retire' }));
    }
    const found = await letters(2);
    expect(found.find(({ id }) => id === stranger)).toMatchObject({
      queue: 'plan',
      attempts: 3,
      about: null,
      error: { code: 'message-unreadable' },
      body: 'not json',
    });
    expect(found.find(({ id }) => id === unreadable)).toMatchObject({
      queue: 'retire',
      attempts: 3,
      about: poison,
      error: { code: 'row-unreadable', sentence: expect.stringContaining(`MOVE#${poison}`) },
      body: work,
    });
  }, 60_000);

  test('shows in the status, which then needs a person', async () => {
    const { code, value } = await dray.json(['status', '--check']);
    expect(code).toBe(1);
    expect(value).toMatchObject({ deadLetters: { total: 2, queues: { plan: 1, retire: 1 } }, stuck: 0 });
    expect((await dray.run(['status'])).out).toContain('2 dead letters (plan 1, retire 1)');
  });

  test('is read from the API with its reason, as long as nobody has acted on it', async () => {
    const { url, key } = cloud.api ?? { url: '', key: '' };
    const answer = await fetch(`${url}/dead-letters`, { headers: { 'x-api-key': key } });
    const { letters: read } = z.object({ letters: z.array(letterAnswer) }).parse(await answer.json());
    expect(read.map(({ letter }) => letter).sort()).toEqual([stranger, unreadable].sort());
    expect(read.find(({ letter }) => letter === stranger)).toMatchObject({
      queue: 'plan',
      attempts: 3,
      failure: { code: 'message-unreadable' },
    });
  });

  test('can be looked at by the beginning of its id, as often as one likes', async () => {
    for (let look = 0; look < 2; look += 1) {
      const shown = await dray.run(['dead-letters', 'show', stranger.slice(0, 13)]);
      expect([shown.code, shown.err]).toEqual([0, '']);
      expect(shown.out).toContain('message-unreadable');
      expect(shown.out).toContain('not json');
      expect(shown.out).toContain('failed 3 times');
    }
    expect(await dray.run(['dead-letters', 'show', 'none'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('letter-unknown'),
    });
  });

  test('is put back once its cause is gone, and it stays on record who did it and why', async () => {
    await dynamo.send(
      new DeleteItemCommand({
        TableName: cloud.outputs['TableName'],
        Key: { pk: { S: `MOVE#${poison}` }, sk: { S: 'MOVE' } },
      }),
    );
    const move = { ...moveOf(8, 'healed', states.completed), id: poison };
    await client.store.insert('move', move);
    expect(await dray.run(['dead-letters', 'redrive', unreadable])).toMatchObject({ code: 2 });
    expect(await dray.run(['dead-letters', 'redrive', '--reason', 'x'])).toMatchObject({ code: 2 });
    const redriven = await dray.json(['dead-letters', 'redrive', unreadable, '--reason', 'row repaired']);
    expect(redriven).toMatchObject({ code: 0, value: { redriven: [unreadable], left: [] } });
    expect((await letters(1)).map(({ id }) => id)).toEqual([stranger]);
    const { value } = await dray.json(['dead-letters', 'history']);
    expect(value).toMatchObject({
      letters: [
        {
          id: unreadable,
          queue: 'retire',
          deed: 'redriven',
          reason: 'row repaired',
          by: expect.stringMatching(/^dray\/.+@/),
          code: 'row-unreadable',
        },
      ],
    });
    const shown = await dray.json(['move', 'show', poison]);
    expect(shown.value).toMatchObject({
      history: expect.arrayContaining([
        expect.objectContaining({ fact: 'letter-redriven', note: 'row repaired', letter: unreadable }),
      ]),
    });
  });

  test('comes again if it is put back and its cause is not gone', async () => {
    const all = await dray.json(['dead-letters', 'redrive', '--all', '--reason', 'let us see']);
    expect(all).toMatchObject({ code: 0, value: { redriven: [stranger] } });
    const [again] = await letters(1);
    expect(again).toMatchObject({ queue: 'plan', error: { code: 'message-unreadable' }, body: 'not json' });
    expect(again?.id).not.toBe(stranger);
  }, 60_000);

  test('is thrown away, with the reason, when nobody of ours has sent it', async () => {
    expect(await dray.run(['dead-letters', 'discard', '--all', '--reason', 'not ours'])).toMatchObject({
      code: 0,
      out: '1 letter discarded.\n',
    });
    expect(await letters(0)).toEqual([]);
    expect((await dray.run(['dead-letters', 'history'])).out).toMatch(/discarded .* not ours/);
    expect((await dray.json(['status', '--check'])).code).toBe(0);
  });

  test('is found by the name of the stage alone, as on AWS', async () => {
    const elsewhere = new Dray(join(folder, 'no-cloud-here'));
    const told = await elsewhere.run(['--stage', 'local', 'status', '--json'], '', cloud.env);
    expect([told.code, told.err]).toEqual([0, '']);
    expect(JSON.parse(told.out)).toMatchObject({ installation: 'local', deadLetters: { total: 0 } });
    const wrong = await elsewhere.run(['--stage', 'nowhere', 'status'], '', cloud.env);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('stage-unknown') });
  });
});

describe('hostile events on the real path', () => {
  test('are refused, kept and listed, and none becomes a dead letter', async () => {
    const corpus = hostileCorpus();
    // Some of every kind of refusal that needs no special world.
    const chosen = [...new Map(corpus.map((each) => [each.code, each])).values()].filter(({ code }) =>
      /^(not-json|field-|key-|text-|number-|too-deep|type-unknown|selection-|claim-check-missing|host-url|password-in-url)/.test(
        code,
      ),
    );
    expect(chosen.length).toBeGreaterThan(12);
    for (const { topic, text } of chosen) {
      const head = { source: 'test', id: 'hostile', type: 'hostile', bodyHash: '' };
      await client.publish(topic, head, text === '' ? ' ' : text);
    }
    const expected = chosen.map(({ topic, text, code }) => {
      const parsed = topic === 'requests' ? parseRequest(text, 1) : parseHostChange(text, 1);
      return `${parsed.head.source} ${code}`;
    });
    const refusals = z.object({
      refusals: z.array(z.object({ source: z.string(), code: z.string() })),
    });
    let seen: string[] = [];
    for (let look = 0; look < 40 && seen.length < expected.length; look += 1) {
      await delay(250);
      const { value } = await dray.json(['refusals', '--since', '1h']);
      seen = refusals.parse(value).refusals.map(({ source, code }) => `${source} ${code}`);
    }
    expect(seen.sort()).toEqual(expected.sort());
    const { out } = await dray.run(['refusals']);
    expect(out).toContain('not-json');
    expect(out).not.toMatch(/[\u001b\u202e]/);
    expect(await letters(0)).toEqual([]);
  }, 60_000);
});
