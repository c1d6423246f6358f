import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { projectedIndexes } from '../../shared/aws/projections.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { rolePoliciesOf } from './policies.ts';
import { testWatch } from './watch.ts';
import { idsOf, ofType, propertiesOf, reference, required, type PackagedTemplate } from './template.ts';

const functionProperties = z.object({
  FunctionName: z.string(),
  Runtime: z.literal('nodejs24.x'),
  Architectures: z.tuple([z.literal('arm64')]),
  Timeout: z.int().min(1).max(900),
  MemorySize: z.int().min(256),
  Role: reference,
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});
const queueProperties = z.object({
  QueueName: z.string(),
  RedrivePolicy: z.object({ deadLetterTargetArn: reference, maxReceiveCount: z.int().min(3) }).optional(),
});
const mappingProperties = z.object({ EventSourceArn: reference, FunctionName: reference });

const nameProperties = /^(?:Queue|Topic|Table|Bucket|Function|Alarm|Dashboard|LogGroup|UsagePlan)Name$/;
/** What is a reference is no name. */
const name = z.union([
  z.string(),
  z.object({ 'Fn::Sub': z.string() }).transform((value) => value['Fn::Sub']),
]);

/**
 * What must hold of our own stack, beside the rules for every template.
 * @param touching the functions that touch hosts
 */
export function testStage(stage: string, made: () => PackagedTemplate, touching: readonly string[]): void {
  const lambdas = () => propertiesOf(made(), 'AWS::Lambda::Function', functionProperties);
  const queues = () => propertiesOf(made(), 'AWS::SQS::Queue', queueProperties);
  const queueMappings = () =>
    [...propertiesOf(made(), 'AWS::Lambda::EventSourceMapping', mappingProperties).values()].filter(
      ({ EventSourceArn }) => EventSourceArn.endsWith('Queue'),
    );
  const table = () => required(made().Resources['Table']).Properties;

  test('gives each function an environment that it can start with', () => {
    for (const { Environment, Timeout } of lambdas().values()) {
      const config = readConfig(Object.fromEntries(Object.entries(Environment.Variables).map(standIn)));
      expect(config.DEADLINE_MARGIN_MS).toBeLessThan((Timeout * 1_000) / 2);
      expect(config.INSTALLATION).toBe(stage);
    }
  });

  test('leaves work a fifteenth of its time to reach a safe point', () => {
    for (const name of ['Transfer', 'Cutover', 'Retire', 'Rollback']) {
      const worker = required(
        queueMappings().find(({ EventSourceArn }) => EventSourceArn === `${name}Queue`),
      );
      const { Timeout, Environment } = required(lambdas().get(worker.FunctionName));
      expect(Number(Environment.Variables['DEADLINE_MARGIN_MS'])).toBe((Timeout * 1_000) / 15);
    }
  });

  test('has a function behind each queue, and queues of dead letters that are called after theirs', () => {
    for (const [id, { RedrivePolicy }] of queues()) {
      if (id.endsWith('DeadQueue') || id === 'RelayFailuresQueue') {
        expect(RedrivePolicy).toBeUndefined();
        continue;
      }
      expect(RedrivePolicy?.deadLetterTargetArn).toBe(id.replace(/Queue$/, 'DeadQueue'));
      expect(queueMappings().filter(({ EventSourceArn }) => EventSourceArn === id)).toHaveLength(1);
    }
  });

  test('has one alarm in which people hear of dead letters', () => {
    const told = ofType(made(), 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties)
      .filter(({ MetricName }) => MetricName === 'ApproximateNumberOfMessagesVisible');
    expect(told).toHaveLength([...queues().keys()].filter((id) => /(?:Dead|Failures)Queue$/.test(id)).length);
    for (const { AlarmName, AlarmActions } of told) {
      expect(AlarmName).toMatch(new RegExp(`^drayage-${stage}-`));
      expect(AlarmActions).toEqual([{ Ref: 'AlarmsTopic' }]);
    }
  });

  testWatch(stage, made);

  test('tells the relay of every kind of row that it tells the world of', () => {
    const [, { Properties }] = required(
      ofType(made(), 'AWS::Lambda::EventSourceMapping').find(([id]) => id.includes('Dynamodb')),
    );
    const { FilterCriteria } = z
      .object({ FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })) }) })
      .parse(Properties);
    const kinds = FilterCriteria.Filters.map(({ Pattern }): unknown => JSON.parse(Pattern));
    expect(kinds).toContainEqual({
      eventName: ['INSERT', 'MODIFY'],
      dynamodb: { NewImage: { kind: { S: ['move', 'endpoint', 'news', 'scaler'] } } },
    });
  });

  test('has a role for each function and one for the API, and no others', () => {
    const roles = [...[...lambdas().values()].map(({ Role }) => Role), 'ApiRole'];
    expect(idsOf(made(), 'AWS::IAM::Role')).toEqual([...roles].sort());
  });

  test('names everything after itself and its stage', () => {
    const named = Object.values(made().Resources).flatMap(({ Properties }) =>
      Object.entries(Properties).flatMap(([property, value]) => {
        const { data } = name.safeParse(value);
        return nameProperties.test(property) && data !== undefined ? [data] : [];
      }),
    );
    expect(named.length).toBeGreaterThan(queues().size + lambdas().size);
    for (const each of named) expect(each).toMatch(new RegExp(`^(?:/aws/lambda/)?drayage-${stage}(?:-|$)`));
  });

  test('lets only functions that touch hosts fetch passwords, and only those of the stage', () => {
    const readers = [...rolePoliciesOf(made())].flatMap(([id, { Policies }]) =>
      Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .filter(({ Action }) => Action.some((action) => action.startsWith('secretsmanager:')))
        .map(({ Resource }) => {
          expect(JSON.stringify(Resource)).toContain(`:secret:drayage/${stage}/*`);
          return id;
        }),
    );
    expect(readers.sort()).toEqual(touching.map((name) => `${name}Role`).sort());
  });

  test('has the table that the code reads and writes', () => {
    const keys = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
    const found = z
      .array(
        z.object({
          IndexName: z.string(),
          KeySchema: keys,
          Projection: z.object({ NonKeyAttributes: z.array(z.string()).default([]) }),
        }),
      )
      .parse(table()['GlobalSecondaryIndexes'])
      .map(({ IndexName, KeySchema: [hash, range], Projection }) => [
        IndexName,
        { hash: hash?.AttributeName, range: range?.AttributeName, include: Projection.NonKeyAttributes },
      ]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(
        projectedIndexes.map(({ name, hash, range, include }) => [name, { hash, range, include }]),
      ),
    );
    expect(table()).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  test('keeps its data when the stack goes exactly where that matters', () => {
    const keeps = stage === 'prod' ? 'Retain' : 'Delete';
    for (const id of ['Table', 'ClaimsBucket', 'ManifestsBucket']) {
      expect(made().Resources[id]).toMatchObject({
        DeletionPolicy: keeps,
        UpdateReplacePolicy: keeps,
      });
    }
    expect(table()).toMatchObject({
      DeletionProtectionEnabled: stage === 'prod',
      PointInTimeRecoverySpecification: {
        PointInTimeRecoveryEnabled: stage === 'prod' || stage === 'staging',
      },
    });
  });

  test('tells what the command line and the embedded cloud need to know', () => {
    expect(Object.keys(made().Outputs)).toEqual(
      expect.arrayContaining([
        'Installation',
        'RequestsTopicArn',
        'HostChangesTopicArn',
        'AnnouncementsTopicArn',
        'NotificationsTopicArn',
        'TableName',
        'TableStreamArn',
        'ClaimsBucketName',
        'ManifestsBucketName',
        'ManifestsTopicArn',
        'ApiUrl',
        'ApiKeyId',
        'ConsoleBucketName',
        'ConsoleUrl',
        ...[...queues().keys()].map((id) => `${id}Url`),
      ]),
    );
  });
}

/** A value of the right form for what is known only once it is deployed. */
function standIn([name, value]: [string, unknown]): [string, string] {
  if (typeof value === 'string') return [name, value];
  const id = reference.parse(value);
  if (id.endsWith('Queue')) return [name, `https://sqs.eu-central-1.amazonaws.com/000000000000/${id}`];
  return [name, id.endsWith('Topic') ? `arn:aws:sns:eu-central-1:000000000000:${id}` : id];
}
