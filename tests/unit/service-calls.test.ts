import { describe, expect, test } from '@jest/globals';
import { callerOf } from '../../local/servers/call-log.ts';
import { serviceCalls, type ServiceRequest } from '../../local/servers/service-calls.ts';

const region = 'eu-central-1';
const table = `arn:aws:dynamodb:${region}:000000000000:table/drayage-local`;

const asked = (request: Partial<ServiceRequest>) =>
  serviceCalls({ method: 'POST', url: '/', target: '', fields: {}, ...request }, region);
const ofTable = (operation: string, fields: ServiceRequest['fields']) =>
  asked({ target: `DynamoDB_20120810.${operation}`, fields });

describe('what IAM is asked about a request', () => {
  test('an item of a table, with its partition key', () => {
    const Key = { pk: { S: 'MOVE#mv_1' }, sk: { S: 'MOVE' } };
    expect(ofTable('GetItem', { TableName: 'drayage-local', Key })).toEqual([
      { action: 'dynamodb:GetItem', resource: table, leadingKeys: ['MOVE#mv_1'] },
    ]);
  });

  test('many items at once, with the partition key of each', () => {
    const Keys = [{ pk: { S: 'MOVE#mv_1' }, sk: { S: 'MOVE' } }, { pk: { S: 'FLEET' } }];
    expect(ofTable('BatchGetItem', { RequestItems: { 'drayage-local': { Keys } } })).toEqual([
      { action: 'dynamodb:BatchGetItem', resource: table, leadingKeys: ['MOVE#mv_1', 'FLEET'] },
    ]);
  });

  test('an index, and the partition of it', () => {
    expect(
      ofTable('Query', {
        TableName: 'drayage-local',
        IndexName: 'byHost',
        KeyConditionExpression: 'onHost = :host AND pk > :after',
        ExpressionAttributeValues: { ':after': { S: 'ENDPOINT#m' }, ':host': { S: 'a' } },
      }),
    ).toEqual([{ action: 'dynamodb:Query', resource: `${table}/index/byHost`, leadingKeys: ['a'] }]);
  });

  test('each statement of PartiQL for itself', () => {
    expect(
      ofTable('BatchExecuteStatement', {
        Statements: [
          { Statement: `INSERT INTO "drayage-local" VALUE {'pk': ?}` },
          { Statement: 'UPDATE "drayage-local" SET "a"=? WHERE "pk"=?' },
          { Statement: 'DELETE FROM "drayage-local" WHERE "pk"=?' },
          { Statement: 'SELECT * FROM "drayage-local"."byKind" WHERE "listing"=?' },
        ],
      }),
    ).toEqual([
      { action: 'dynamodb:PartiQLInsert', resource: table },
      { action: 'dynamodb:PartiQLUpdate', resource: table },
      { action: 'dynamodb:PartiQLDelete', resource: table },
      { action: 'dynamodb:PartiQLSelect', resource: `${table}/index/byKind` },
    ]);
    expect(ofTable('ExecuteStatement', { Statement: 'UPDATE "drayage-local" SET "a"=?' })).toEqual([
      { action: 'dynamodb:PartiQLUpdate', resource: table },
    ]);
  });

  test('each part of a transaction by what it does', () => {
    const of = { TableName: 'drayage-local', Key: { pk: { S: 'HOST#a' } } };
    expect(
      ofTable('TransactWriteItems', { TransactItems: [{ Update: of }, { ConditionCheck: of }] }),
    ).toEqual([
      { action: 'dynamodb:UpdateItem', resource: table, leadingKeys: ['HOST#a'] },
      { action: 'dynamodb:ConditionCheckItem', resource: table, leadingKeys: ['HOST#a'] },
    ]);
  });

  test.each([
    [
      { target: 'AmazonSQS.SendMessageBatch', fields: { QueueUrl: 'http://127.0.0.1:1/000000000000/q' } },
      'sqs:SendMessage',
      `arn:aws:sqs:${region}:000000000000:q`,
    ],
    [{ fields: { Action: 'PublishBatch', TopicArn: 'arn:aws:sns:x' } }, 'sns:Publish', 'arn:aws:sns:x'],
    [{ method: 'HEAD', url: '/bucket/a%20key' }, 's3:GetObject', 'arn:aws:s3:::bucket/a key'],
    [{ method: 'GET', url: '/bucket/k?versionId=1' }, 's3:GetObjectVersion', 'arn:aws:s3:::bucket/k'],
    [{ method: 'PUT', url: '/bucket/claims/1' }, 's3:PutObject', 'arn:aws:s3:::bucket/claims/1'],
    [{ method: 'GET', url: '/bucket?list-type=2' }, 's3:ListBucket', 'arn:aws:s3:::bucket'],
    [
      { url: '/2015-03-31/functions/f/invocations' },
      'lambda:InvokeFunction',
      `arn:aws:lambda:${region}:000000000000:function:f`,
    ],
  ])('%j', (request, action, resource) => {
    expect(asked(request)).toEqual([{ action, resource }]);
  });

  test('a secret, by the ARN that its name has', () => {
    const [call] = asked({
      target: 'secretsmanager.GetSecretValue',
      fields: { SecretId: 'drayage/local/a' },
    });
    expect(call?.action).toBe('secretsmanager:GetSecretValue');
    expect(call?.resource).toMatch(/:secret:drayage\/local\/a-[0-9a-f]{6}$/);
  });

  test('what is not known is no permission that anybody has', () => {
    expect(asked({ target: 'Kinesis_20131202.PutRecord' })).toEqual([
      { action: 'Kinesis_20131202.PutRecord', resource: '*' },
    ]);
    expect(ofTable('ListTables', {})).toEqual([{ action: 'dynamodb:ListTables', resource: '*' }]);
  });
});

test('a caller is who the SDK says it is', () => {
  expect(callerOf('aws-sdk-js/3.1 ua/2.1 os/linux app/PlanBatchLambdaFunction m/E,b')).toBe(
    'PlanBatchLambdaFunction',
  );
  expect(callerOf('app/Api')).toBe('Api');
  expect(callerOf('ua/2.1 app/PlanBatchLambdaFunction-PT-NO-OP-2.35.0 m/E')).toBe('PlanBatchLambdaFunction');
  expect(callerOf('aws-sdk-js/3.1 os/linux')).toBeUndefined();
  expect(callerOf(undefined)).toBeUndefined();
});
