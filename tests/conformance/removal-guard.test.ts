import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DeleteItemCommand, PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { createDynamoClient } from '../../shared/aws/clients.ts';
import { toRow } from '../../shared/aws/layout.ts';
import { keyItem, toItem } from '../../shared/aws/wire.ts';
import type { Row } from '../../shared/contracts/rows/row.ts';
import { batchId } from '../../shared/domain/ids.ts';
import { beforeRemoval } from '../support/sls-remove.ts';
import { listenOnLoopback } from '../support/loopback.ts';
import { batchOf, moveOf, states } from '../support/sample-batch.ts';
import { sample } from '../support/samples.ts';
import { createTestTable, localClient, startTestDynamo, type TestDynamo } from '../support/test-table.ts';

const scan = z.looseObject({ TableName: z.string() });
const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
  <Arn>arn:aws:iam::111122223333:user/ops</Arn><UserId>ops</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

describe('before a stage is removed', () => {
  const kept = { ...process.env };
  /** By whom and where AWS was asked: key, region, service. */
  const askedBy = new Set<string>();
  /** The table goes after so many pages. */
  let pages = Infinity;
  let dynamo: TestDynamo;
  let client: DynamoDBClient;
  let folder: string;

  /** AWS, which hands out two rows a page. */
  const aws = createServer((request, response) => {
    void answer(request).then(({ status, body }) => response.writeHead(status).end(body));
  });
  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const body = await text(request);
    const { authorization = '' } = request.headers;
    const [, key = '', region = '', service = ''] =
      /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(authorization) ?? [];
    askedBy.add(`${key} ${region} ${service}`);
    if (service === 'sts') return { status: 200, body: identity };
    pages -= 1;
    const { TableName, ...rest } = scan.parse(JSON.parse(body));
    const there = pages < 0 ? 'gone' : TableName;
    const passed = await fetch(dynamo.endpoint, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-date': String(request.headers['x-amz-date']),
        'x-amz-target': String(request.headers['x-amz-target']),
      },
      body: JSON.stringify({ ...rest, TableName: there, Limit: 2 }),
    });
    return { status: passed.status, body: await passed.text() };
  }

  beforeAll(async () => {
    dynamo = await startTestDynamo('dynoxide');
    client = createDynamoClient(localClient(dynamo.endpoint));
    await createTestTable(client, 'drayage-prod');
    folder = await mkdtemp(join(tmpdir(), 'drayage-profile-'));
    const credentials = join(folder, 'credentials');
    await writeFile(credentials, '[ops]\naws_access_key_id = OPS\naws_secret_access_key = secret\n');
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_ENDPOINT_URL: `http://127.0.0.1:${String(await listenOnLoopback(aws))}`,
      AWS_ACCESS_KEY_ID: 'ANOTHER',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_REGION: 'eu-west-1',
    });
  });
  beforeEach(() => {
    pages = Infinity;
    askedBy.clear();
  });
  afterAll(async () => {
    process.env = kept;
    aws.close();
    client.destroy();
    await dynamo.stop();
    await rm(folder, { recursive: true });
  });

  const remove = async (stage: string, ...param: string[]): Promise<readonly string[]> =>
    await beforeRemoval('eu-north-1', { stage, param, 'aws-profile': 'ops' });
  async function put(row: Row): Promise<void> {
    await client.send(new PutItemCommand({ TableName: 'drayage-prod', Item: toItem(row) }));
  }

  const other = batchId('bt_0123456789abcdef0124');
  const told = { ...moveOf(8, 'told', states.stuck), stuckTold: states.stuck.endedAt };
  const underWay = [
    toRow('batch', batchOf({ state: 'planning' })),
    toRow('batch', batchOf({ state: 'running' })),
    toRow('move', moveOf(1, 'waiting', states.waiting)),
    toRow('move', moveOf(2, 'copying', states.running('copy'))),
    toRow('move', moveOf(3, 'frozen', states.running('freeze'))),
    toRow('move', moveOf(4, 'moved', states.running('retire'))),
    toRow('move', moveOf(5, 'back', states.rollingBack('copy'))),
    toRow('move', moveOf(6, 'stuck', states.stuck)),
    toRow('move', told),
  ];
  const ended = [
    toRow('batch', batchOf({ id: other, state: 'completed' })),
    toRow('move', moveOf(10, 'retired', states.completed)),
    toRow('move', moveOf(11, 'as-it-was', states.rolledBack)),
    toRow('host', sample('host')),
    toRow('endpoint', sample('endpoint')),
  ];

  test('its table is asked for each move and batch that has not ended, by whom and where it is removed', async () => {
    for (const row of ended) await put(row);
    expect(await remove('prod')).toEqual([]);
    for (const row of underWay) {
      await put(row);
      await expect(remove('prod')).rejects.toThrow(
        `Stage prod in account 111122223333, region eu-north-1 is not removed: 1 of its batches and moves have not come to their end (${z.string().parse(row['id'])})`,
      );
      expect(await remove('prod', 'force=yes')).toEqual([]);
      await client.send(new DeleteItemCommand({ TableName: 'drayage-prod', Key: keyItem(row) }));
    }
    expect([...askedBy].sort()).toEqual(['OPS eu-north-1 dynamodb', 'OPS eu-north-1 sts']);
  });

  test('a table that is not there stops nothing, and is said with where it was looked for', async () => {
    expect(await remove('nowhere')).toEqual([
      'There is no table drayage-nowhere in account 111122223333, region eu-north-1: nothing can be under way there.',
    ]);
  });

  test('a table that goes while it is asked is no answer', async () => {
    for (const row of ended) await put(row);
    pages = 1;
    await expect(remove('prod')).rejects.toThrow(
      /not removed: its table could not be asked .*not found.*force=yes/i,
    );
  });
});
