import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startCloud, type Cloud } from '../../local/cloud.ts';
import { faultsOfExposition } from '../support/open-metrics.ts';

const root = new URL('../fixtures/local-cloud', import.meta.url).pathname;

let stateDir: string;
let cloud: Cloud;
let clients: {
  dynamodb: DynamoDBClient;
  s3: S3Client;
  secrets: SecretsManagerClient;
  sns: SNSClient;
  sqs: SQSClient;
};

/** An ordinary SDK configuration, made of the variables that the cloud gives out. */
function configuration(service: string): {
  region: string;
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
} {
  return {
    region: cloud.env['AWS_REGION'] ?? '',
    endpoint: cloud.env[`AWS_ENDPOINT_URL_${service}`] ?? '',
    credentials: {
      accessKeyId: cloud.env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: cloud.env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
}

const output = (name: string): string => cloud.outputs[name] ?? `no output ${name}`;

/** Asks again until the answer is there; a limit only keeps a broken run from hanging. */
async function eventually<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never happened: ${what}`);
}

/** The sort keys of a partition once there are `count` of them. */
async function rows(pk: string, count: number): Promise<string[]> {
  return eventually(
    async () => {
      const { Items } = await clients.dynamodb.send(
        new QueryCommand({
          TableName: output('TableName'),
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          ConsistentRead: true,
        }),
      );
      return Items !== undefined && Items.length >= count
        ? Items.map((item) => item['sk']?.S ?? '')
        : undefined;
    },
    `${String(count)} rows of ${pk}`,
  );
}

async function send(id: string, does: string): Promise<void> {
  const body = JSON.stringify({ kind: 'work', id, does });
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: output('WorkQueueUrl'), MessageBody: body }));
}

async function receiveOne(queue: string): Promise<string> {
  return eventually(async () => {
    const { Messages } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: output(queue), WaitTimeSeconds: 5 }),
    );
    return Messages?.[0]?.Body;
  }, `a message in ${queue}`);
}

function processState(pid: number): string {
  const line = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  return line.slice(line.lastIndexOf(')') + 2, line.lastIndexOf(')') + 3);
}

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'drayage-cloud-'));
  cloud = await startCloud({ root, stateDir, scheduleSpeed: 0, onNotice: () => undefined });
  clients = {
    dynamodb: new DynamoDBClient(configuration('DYNAMODB')),
    s3: new S3Client(configuration('S3')),
    secrets: new SecretsManagerClient(configuration('SECRETS_MANAGER')),
    sns: new SNSClient(configuration('SNS')),
    sqs: new SQSClient(configuration('SQS')),
  };
}, 60_000);

afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await cloud.stop();
  await rm(stateDir, { recursive: true, force: true });
}, 30_000);

describe('queues', () => {
  test('carry a published event through the queue and the function into the table', async () => {
    const publish = (kind: string, id: string): Promise<unknown> =>
      clients.sns.send(
        new PublishCommand({
          TopicArn: output('TopicArn'),
          Message: JSON.stringify({ kind, id, does: 'succeeds' }),
        }),
      );
    await publish('other', 'filtered');
    await publish('work', 'published');
    await expect(rows('work/published', 1)).resolves.toEqual(['1']);
    await expect(rows('work/filtered', 0)).resolves.toEqual([]);
  });

  test('deliver again only the messages that the function reported as failed', async () => {
    await Promise.all([send('good-1', 'succeeds'), send('bad', 'fails-once'), send('good-2', 'succeeds')]);
    await expect(rows('work/bad', 2)).resolves.toEqual(['1', '2']);
    await expect(rows('work/good-1', 1)).resolves.toEqual(['1']);
    await expect(rows('work/good-2', 1)).resolves.toEqual(['1']);
  }, 30_000);

  test('set a message aside in the dead-letter queue after its last delivery', async () => {
    await send('hopeless', 'fails');
    expect(JSON.parse(await receiveOne('WorkDeadUrl'))).toMatchObject({ id: 'hopeless' });
    await expect(rows('work/hopeless', 2)).resolves.toEqual(['1', '2']);
  }, 30_000);

  test('return a message whose function was killed at its time limit', async () => {
    const before = await cloud.stats();
    await send('slow', 'hangs');
    await expect(rows('work/slow', 2)).resolves.toEqual(['1', '2']);
    const after = await cloud.stats();
    const timeouts = (stats: typeof before): number => stats.functions['WorkLambdaFunction']?.timeouts ?? 0;
    expect(timeouts(after)).toBeGreaterThan(timeouts(before));
  }, 30_000);

  test('return a message whose function died', async () => {
    await send('suicidal', 'dies');
    await expect(rows('work/suicidal', 2)).resolves.toEqual(['1', '2']);
  }, 30_000);

  test('hold a delayed message back while later ones pass', async () => {
    const post = (id: string, DelaySeconds: number): Promise<unknown> =>
      clients.sqs.send(
        new SendMessageCommand({
          QueueUrl: output('LaterQueueUrl'),
          MessageBody: JSON.stringify({ id, does: 'succeeds' }),
          DelaySeconds,
        }),
      );
    await post('delayed', 4);
    await post('prompt', 0);
    await rows('work/prompt', 1);
    await expect(rows('work/delayed', 0)).resolves.toEqual([]);
    await expect(rows('work/delayed', 1)).resolves.toEqual(['1']);
  }, 30_000);
});

describe('environments', () => {
  test('are stopped while idle, continued for the next event, and keep their memory', async () => {
    const first = await cloud.invoke('ProbeLambdaFunction', { ask: 'tick' });
    const environment = await eventually(async () => {
      const all = await cloud.environments();
      return all.find(({ functionId, state }) => functionId === 'ProbeLambdaFunction' && state === 'idle');
    }, 'an idle environment');
    expect(first).toEqual({ payload: { ticks: 1 }, failed: false });
    // The signal is sent; the machine may take a moment to obey.
    await eventually(
      () => Promise.resolve(processState(environment.pid) === 'T' ? true : undefined),
      'a stopped process',
    );
    await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'ticks' })).resolves.toEqual({
      payload: { ticks: 1, pid: environment.pid },
      failed: false,
    });
  }, 30_000);

  test('see the template resolved, a deadline, and nothing of the user', async () => {
    const { payload } = await cloud.invoke('ProbeLambdaFunction', { ask: 'context' });
    expect(payload).toMatchObject({
      name: 'fixture-local-probe',
      joined: 'fixture-local/here/fixture-local-events',
      region: 'eu-central-1',
    });
    expect(payload).not.toHaveProperty('home');
  });

  test('are killed when they hold more memory than the function may', async () => {
    const { payload, failed } = await cloud.invoke('ProbeLambdaFunction', { ask: 'hoard' });
    expect(failed).toBe(true);
    expect(payload).toMatchObject({ errorType: 'Runtime.OutOfMemory' });
  }, 30_000);

  test('report what the handler threw', async () => {
    await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'nonsense' })).resolves.toMatchObject({
      failed: true,
      payload: { errorType: 'RangeError', errorMessage: 'no such question' },
    });
  });

  test('are started by a schedule that is fired', async () => {
    const count = async (): Promise<number> =>
      (await cloud.stats()).functions['ProbeLambdaFunction']?.invocations ?? 0;
    const before = await count();
    const [schedule] = cloud.schedules;
    await cloud.fire(schedule?.name ?? '');
    await eventually(
      async () => ((await count()) > before ? true : undefined),
      'an invocation by the schedule',
    );
    await expect(cloud.fire('no-such-schedule')).rejects.toMatchObject({ code: 'ScheduleUnknown' });
  });
});

describe('the stream', () => {
  const put = (pk: string, more: Record<string, { S: string }> = {}): Promise<unknown> =>
    clients.dynamodb.send(
      new PutItemCommand({
        TableName: output('TableName'),
        Item: { pk: { S: pk }, sk: { S: '1' }, kind: { S: 'told' }, ...more },
      }),
    );

  test('isolates a poisonous record by halving its batch, tells of it, and passes the rest', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `told-${String(index)}`);
    await Promise.all(ids.map((id) => put(id, id === 'told-5' ? { poison: { S: 'yes' } } : {})));
    for (const id of ids.filter((one) => one !== 'told-5')) await rows(`relayed/${id}`, 1);
    const told: unknown = JSON.parse(await receiveOne('StreamFailuresUrl'));
    expect(told).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      DDBStreamBatchInfo: { batchSize: 1 },
    });
    await expect(rows('relayed/told-5', 0)).resolves.toEqual([]);
  }, 30_000);
});

describe('storage', () => {
  test('tells the queue of a new object that fits the filter', async () => {
    const put = (Key: string): Promise<unknown> =>
      clients.s3.send(new PutObjectCommand({ Bucket: output('BucketName'), Key, Body: '{}' }));
    await put('ignored.txt');
    await put('a folder/manifest 1.json');
    expect(JSON.parse(await receiveOne('ObjectQueueUrl'))).toMatchObject({
      Records: [
        { eventName: 'ObjectCreated:Put', s3: { object: { key: 'a+folder/manifest+1.json', size: 2 } } },
      ],
    });
  });

  test('refuses to overwrite an object that must not exist yet', async () => {
    const put = (): Promise<unknown> =>
      clients.s3.send(
        new PutObjectCommand({ Bucket: output('BucketName'), Key: 'once', Body: 'x', IfNoneMatch: '*' }),
      );
    await put();
    await expect(put()).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });
});

describe('secrets', () => {
  test('are created from the template and read by a function', async () => {
    await expect(cloud.invoke('ProbeLambdaFunction', { ask: 'secret' })).resolves.toMatchObject({
      payload: { value: 'first' },
    });
  });

  test('make the round trip and are kept readable by their owner only', async () => {
    const Name = 'host/a';
    await clients.secrets.send(new CreateSecretCommand({ Name, SecretString: 'postgres://one' }));
    await clients.secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: 'postgres://two' }));
    const read = await clients.secrets.send(new GetSecretValueCommand({ SecretId: Name }));
    expect(read.SecretString).toBe('postgres://two');
    await expect(clients.secrets.send(new GetSecretValueCommand({ SecretId: 'none' }))).rejects.toMatchObject(
      {
        name: 'ResourceNotFoundException',
      },
    );
    const file = join(stateDir, 'secrets.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain('postgres://two');
  });
});

test('an alarm of the template is raised on what functions write, and publishes what CloudWatch would', async () => {
  await cloud.invoke('fixture-local-probe', { ask: 'figure' });
  const told = await eventually(async () => {
    await cloud.fire('fixture-local-slow');
    const { Messages } = await clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: output('AlarmQueueUrl'), WaitTimeSeconds: 1 }),
    );
    return Messages?.[0]?.Body;
  }, 'the alarm');
  expect(JSON.parse(told)).toMatchObject({
    AlarmName: 'fixture-local-slow',
    AWSAccountId: '000000000000',
    AlarmArn: 'arn:aws:cloudwatch:eu-central-1:000000000000:alarm:fixture-local-slow',
    OldStateValue: 'OK',
    NewStateValue: 'ALARM',
    Trigger: { MetricName: 'LatencyMs', Namespace: 'Fixture', Dimensions: [{ name: 'host', value: 'one' }] },
  });
  const answer = await fetch(cloud.metrics);
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  const page = await fetch(cloud.metrics, { headers: { accept: 'text/html,*/*' } });
  expect(await page.text()).toMatch(/^<!doctype html>/);
  expect(faultsOfExposition(text)).toEqual([]);
  expect(text).toContain('fixture_latency_seconds_count{host="one"} 1\n');
  expect(text).toMatch(/^lambda_invocations_total\{function="fixture-local-probe"\} [1-9]\d*$/m);
});

test('what the template has and the cloud does not run is listed', () => {
  expect(cloud.notEmulated.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['AWS::IAM::Role', 'AWS::SQS::QueuePolicy']),
  );
});
