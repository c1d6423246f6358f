import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  BatchExecuteStatementCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { findCloud, startCloud, type Cloud, type CloudOptions } from '../../local/cloud.ts';
import { listenOnLoopback } from '../support/loopback.ts';

const root = new URL('../fixtures/local-cloud', import.meta.url).pathname;
const modules = new URL('../../node_modules', import.meta.url).pathname;

let folder: string;
let running: Cloud[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drayage-life-'));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((cloud) => cloud.stop()));
  await rm(folder, { recursive: true, force: true });
  await rm(join(modules, '.cache', 'drayage-local', basename(folder)), { recursive: true, force: true });
}, 30_000);

async function start(more: Partial<CloudOptions> = {}): Promise<Cloud> {
  const cloud = await startCloud({
    root,
    stateDir: join(folder, 'state'),
    scheduleSpeed: 0,
    onNotice: () => undefined,
    ...more,
  });
  running.push(cloud);
  return cloud;
}

/** An ordinary SDK configuration, made of the variables that the cloud gives out. */
function configuration(
  cloud: Cloud,
  service: string,
): { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } } {
  return {
    region: cloud.env['AWS_REGION'] ?? '',
    endpoint: cloud.env[`AWS_ENDPOINT_URL_${service}`] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
}

/** The sort keys of a partition. */
async function rows(cloud: Cloud, pk: string): Promise<string[]> {
  const dynamodb = new DynamoDBClient(configuration(cloud, 'DYNAMODB'));
  const { Items } = await dynamodb.send(
    new QueryCommand({
      TableName: cloud.outputs['TableName'],
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
    }),
  );
  dynamodb.destroy();
  return (Items ?? []).map((item) => item['sk']?.S ?? '');
}

/** Living processes of a process group, stopped ones included. */
function groupMembers(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const line = readFileSync(`/proc/${name}/stat`, 'utf8');
        const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
        return fields[2] === String(group) && fields[0] !== 'Z';
      } catch {
        return false; // it ended while we looked
      }
    })
    .map(Number);
}

async function eventually(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never happened: ${what}`);
}

/** Processes that mention our folder: whatever a cloud of this test could have left. */
function leftovers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        const words =
          readFileSync(`/proc/${name}/cmdline`, 'utf8') + readFileSync(`/proc/${name}/environ`, 'utf8');
        return words.includes(folder);
      } catch {
        return false;
      }
    });
}

test('nothing is left when the parent is killed, not even a stopped environment, and the state can be used again', async () => {
  const stateDir = join(folder, 'state');
  const parent = spawn(process.execPath, [join(root, 'parent.ts'), stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: parent.stdout }).once('line', resolve);
    parent.once('exit', (code) => {
      reject(new Error(`the parent ended with ${String(code)}`));
    });
  });
  expect(z.array(z.number()).parse(JSON.parse(line))).toHaveLength(2);
  const group = (await findCloud(stateDir))?.pid ?? 0;
  expect(groupMembers(group).length).toBeGreaterThanOrEqual(5);

  parent.kill('SIGKILL');
  await eventually(() => groupMembers(group).length === 0, 'the end of the process group');
  await eventually(() => leftovers().length === 0, 'the end of every process of the cloud');
  await expect(findCloud(stateDir)).resolves.toBeUndefined();

  const cloud = await start();
  await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'secret' })).resolves.toMatchObject({
    payload: { value: 'first' },
  });
}, 60_000);

test('nothing is left when the engine alone is killed, and the caller is told', async () => {
  const deaths: string[] = [];
  const cloud = await start({ onDeath: (reason) => deaths.push(reason) });
  await cloud.invoke('ProbeLambdaFunction', { ask: 'ticks' });
  const group = (await findCloud(cloud.stateDir))?.pid ?? 0;
  process.kill(group, 'SIGKILL');
  await eventually(() => groupMembers(group).length === 0, 'the end of the process group');
  await eventually(() => deaths.length === 1, 'word of the death');
  await expect(cloud.stats()).rejects.toMatchObject({ code: 'CloudStopped' });
}, 60_000);

test('a start goes on where the last one stopped: rows are there, and interrupted messages come again', async () => {
  const first = await start();
  const sqs = new SQSClient(configuration(first, 'SQS'));
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: first.outputs['WorkQueueUrl'],
      MessageBody: JSON.stringify({ id: 'interrupted', does: 'hangs' }),
    }),
  );
  await eventually(async () => (await rows(first, 'work/interrupted')).length === 1, 'the first delivery');
  await first.stop();
  sqs.destroy();

  const second = await start();
  await eventually(async () => (await rows(second, 'work/interrupted')).length === 2, 'the second delivery');
  await expect(rows(second, 'work/interrupted')).resolves.toEqual(['1', '2']);
}, 60_000);

test('DynamoDB Local serves where a JDK is installed; where none is, the start says what is missing', async () => {
  const jdk = spawnSync('javac', ['-version']).status === 0;
  const starting = start({ dynamo: 'dynamodb-local', inMemory: true });
  if (!jdk) {
    await expect(starting).rejects.toThrow('JDK');
    return;
  }
  const cloud = await starting;
  const dynamodb = new DynamoDBClient(configuration(cloud, 'DYNAMODB'));
  await dynamodb.send(
    new PutItemCommand({
      TableName: cloud.outputs['TableName'],
      Item: { pk: { S: 'second-opinion' }, sk: { S: '1' }, kind: { S: 'told' } },
    }),
  );
  await eventually(async () => (await rows(cloud, 'relayed/second-opinion')).length === 1, 'the relayed row');
  dynamodb.destroy();
}, 120_000);

test('one cloud at a time uses a state folder, and stopping twice is no error', async () => {
  const cloud = await start();
  await expect(start()).rejects.toMatchObject({ code: 'CloudAlreadyRunning' });
  await cloud.stop();
  await cloud.stop();
  expect(leftovers()).toEqual([]);
}, 60_000);

test('a port that is taken is named, and nothing is left', async () => {
  const holder = createServer();
  const port = await listenOnLoopback(holder);
  await expect(start({ port })).rejects.toMatchObject({ code: 'PortTaken' });
  expect(leftovers()).toEqual([]);
  await new Promise((resolve) => holder.close(resolve));
}, 60_000);

test('writes to a key over its limit are refused, of tables and of indexes, and others pass', async () => {
  const cloud = await start({ writeLimitPerKey: 5 });
  const TableName = cloud.outputs['TableName'] ?? '';
  const dynamodb = new DynamoDBClient({
    ...configuration(cloud, 'DYNAMODB'),
    maxAttempts: 1,
  });
  const put = (pk: string, sk: number, attributes: Record<string, AttributeValue> = {}): Promise<unknown> =>
    dynamodb.send(
      new PutItemCommand({
        TableName,
        Item: {
          pk: { S: pk },
          sk: { S: String(sk) },
          ...attributes,
        },
      }),
    );
  const hammer = async (write: (turn: number) => Promise<unknown>): Promise<unknown> => {
    for (let turn = 0; turn < 2000; turn += 1) {
      try {
        await write(turn);
      } catch (error) {
        return error;
      }
    }
    return 'never refused';
  };

  // A write is charged afterwards: this one takes more than the key gets back in half a minute.
  await put('hot', 1, { body: { S: 'x'.repeat(200_000) } });
  await expect(put('hot', 2)).rejects.toMatchObject({
    name: 'ProvisionedThroughputExceededException',
  });
  await put('cold', 1);
  const { Responses } = await dynamodb.send(
    new BatchExecuteStatementCommand({
      Statements: ['hot', 'cold'].map((pk) => ({
        Statement: `UPDATE "${TableName}" SET seen = ? WHERE pk = ? AND sk = ?`,
        Parameters: [{ N: '1' }, { S: pk }, { S: '1' }],
      })),
    }),
  );
  expect(Responses?.map((response) => response.Error?.Code)).toEqual(['ThrottlingError', undefined]);
  await expect(
    hammer((turn) => put(`spread-${String(turn)}`, 1, { state: { S: 'crowded' } })),
  ).resolves.toMatchObject({
    name: 'ProvisionedThroughputExceededException',
  });

  const { tables, hottestKey } = await cloud.stats();
  expect(tables[TableName]?.throttled).toBeGreaterThanOrEqual(3);
  expect(tables[TableName]?.indexUnits['byState']).toBeGreaterThan(0);
  expect(hottestKey?.unitsPerSecond).toBeGreaterThanOrEqual(5);
  dynamodb.destroy();
}, 60_000);

test('an edited function is packaged again and answers with its new code', async () => {
  // The package cache beside the CLI is named after the project's folder.
  const project = join(folder, basename(folder));
  await cp(root, project, { recursive: true });
  await symlink(modules, join(project, 'node_modules'));
  const notices: string[] = [];
  const cloud = await start({ root: project, watch: true, onNotice: (text) => notices.push(text) });
  await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'tick' })).resolves.toMatchObject({
    payload: { ticks: 1 },
  });

  const source = join(project, 'functions', 'probe.ts');
  await writeFile(source, (await readFile(source, 'utf8')).replace('let ticks = 0', 'let ticks = 100'));
  await eventually(() => notices.some((text) => text.startsWith('Reloaded')), 'a reload');
  await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'tick' })).resolves.toMatchObject({
    payload: { ticks: 101 },
  });
  expect(notices.at(-1)).toBe('Reloaded: fixture-local-probe.');

  await writeFile(source, 'this is no TypeScript');
  await eventually(() => notices.some((text) => text.startsWith('Not reloaded')), 'a refusal');
  await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'tick' })).resolves.toMatchObject({
    payload: { ticks: 102 },
  });
}, 90_000);
