import { describe, expect, test } from '@jest/globals';
import type { NotedCall } from '../../local/servers/call-log.ts';
import { judge } from '../roles/judge.ts';
import type { Exception } from '../roles/exceptions.ts';
import { stageRoles, type StageRole } from '../roles/stage-roles.ts';
import { parseTemplate } from '../../local/template/template.ts';

const table = 'arn:aws:dynamodb:eu-central-1:000000000000:table/t';

const role = (...grants: readonly Partial<StageRole['grants'][number]>[]): StageRole => ({
  name: 'PlanBatchRole',
  caller: 'PlanBatchLambdaFunction',
  grants: grants.map((grant) => ({ sid: 'S', action: 'dynamodb:GetItem', resource: table, ...grant })),
  platformCalls: [],
});
const call = (action: string, of: Partial<NotedCall> = {}): NotedCall => ({
  caller: 'PlanBatchLambdaFunction',
  action,
  resource: table,
  ...of,
});

const exception: Exception = { role: 'PlanBatchRole', statement: 'Write', reason: 'of this test' };

describe('roles are held against what is done under them', () => {
  test('what is done is allowed, and what is allowed is done', async () => {
    expect(await judge([role({})], [call('dynamodb:GetItem')], [])).toMatchObject({
      denied: [],
      unused: [],
      rare: [],
      stale: [],
    });
  });

  test('a call that no statement allows is named', async () => {
    const { denied } = await judge([role({})], [call('dynamodb:GetItem'), call('dynamodb:PutItem')], []);
    expect(denied).toEqual([
      expect.stringContaining(`PlanBatchRole does not allow dynamodb:PutItem on ${table}`),
    ]);
  });

  test('an index is another resource than its table', async () => {
    const { denied } = await judge(
      [role({ action: 'dynamodb:Query' })],
      [call('dynamodb:Query', { resource: `${table}/index/byKind` })],
      [],
    );
    expect(denied).toHaveLength(1);
  });

  test('a key that a condition does not admit is refused', async () => {
    const keyed = role({
      condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['MOVE#*'] } },
    });
    const calls = [
      call('dynamodb:GetItem', { leadingKeys: ['MOVE#mv_1'] }),
      call('dynamodb:GetItem', { leadingKeys: ['SECRET#1'] }),
    ];
    const { denied } = await judge([keyed], calls, []);
    expect(denied).toEqual([expect.stringContaining('key SECRET#1')]);
  });

  test('a statement of which nobody makes use is named, unless it is an exception', async () => {
    const wide = role({}, { sid: 'Write', action: 'dynamodb:UpdateItem' });
    const calls = [call('dynamodb:GetItem')];
    expect((await judge([wide], calls, [])).unused).toEqual([
      `PlanBatchRole, Write: nobody has asked for dynamodb:UpdateItem on ${table}`,
    ]);
    expect(await judge([wide], calls, [exception])).toMatchObject({ unused: [], stale: [] });
  });

  test('what a statement allows beyond what was done is told apart', async () => {
    const wide = role({}, { action: 'dynamodb:UpdateItem' });
    expect(await judge([wide], [call('dynamodb:GetItem')], [])).toMatchObject({
      unused: [],
      rare: [`PlanBatchRole, S: dynamodb:UpdateItem on ${table}`],
    });
  });

  test('an exception for a statement that there is not is none', async () => {
    const { stale } = await judge([role({})], [call('dynamodb:GetItem')], [exception]);
    expect(stale).toHaveLength(1);
  });

  test('what Lambda does under a role is asked of it too', async () => {
    const statement = (Action: string | string[], Resource: unknown) => ({
      Sid: 'S',
      Effect: 'Allow',
      Action,
      Resource,
    });
    const roles = stageRoles(
      parseTemplate(
        JSON.stringify({
          Resources: {
            PlanQueue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'plan' } },
            PlanBatchRole: {
              Type: 'AWS::IAM::Role',
              Properties: {
                Policies: [
                  {
                    PolicyDocument: {
                      Statement: [statement('sqs:ReceiveMessage', { 'Fn::GetAtt': ['PlanQueue', 'Arn'] })],
                    },
                  },
                ],
              },
            },
            PlanBatchLambdaFunction: {
              Type: 'AWS::Lambda::Function',
              Properties: { FunctionName: 'plan-batch', Role: { 'Fn::GetAtt': ['PlanBatchRole', 'Arn'] } },
            },
            Mapping: {
              Type: 'AWS::Lambda::EventSourceMapping',
              Properties: {
                FunctionName: { Ref: 'PlanBatchLambdaFunction' },
                EventSourceArn: { 'Fn::GetAtt': ['PlanQueue', 'Arn'] },
              },
            },
          },
        }),
        'a test',
      ),
      'eu-central-1',
      'drayage-test',
    );
    const { denied, unused } = await judge(roles, [], []);
    expect(unused).toEqual([]);
    expect(denied.map((line) => line.split(' (')[0])).toEqual(
      ['sqs:DeleteMessage', 'sqs:GetQueueAttributes']
        .map(
          (action) => `PlanBatchRole does not allow ${action} on arn:aws:sqs:eu-central-1:000000000000:plan`,
        )
        .concat(
          ['logs:CreateLogStream', 'logs:PutLogEvents'].map(
            (action) =>
              `PlanBatchRole does not allow ${action} on arn:aws:logs:eu-central-1:000000000000:log-group:/aws/lambda/plan-batch:log-stream:2026/01/01/[$LATEST]0`,
          ),
        ),
    );
  });
});
