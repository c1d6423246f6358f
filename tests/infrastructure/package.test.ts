import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { indexes } from '../../shared/aws/layout.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { packageStage, type PackagedStage, type Resource } from '../support/packaged-stage.ts';

const functions = {
  acceptRequest: 'no host',
  reactToHostChange: 'hosts',
  ingestManifest: 'no host',
  planBatch: 'no host',
  dispatchMoves: 'no host',
  transferEndpoint: 'schema dump',
  cutOverEndpoint: 'hosts',
  retireSource: 'hosts',
  rollBackMove: 'hosts',
  scaleWorkers: 'no host',
  relayChanges: 'no host',
  sweepRows: 'no host',
  sweepHosts: 'no host',
  sweepHost: 'hosts',
} as const;
const functionNames = Object.keys(functions);

/** Kilobytes, gzipped: cold starts read all of it. */
const budgetKb = { 'no host': 250, hosts: 320, 'schema dump': 700 } as const;

/** The stage `local` is what the embedded cloud runs. */
const stages = ['dev', 'staging', 'prod'] as const;
const packaged = new Map<string, PackagedStage>();

/** What the first stage is bundled into serves the others, as it does for whoever packages more than one. */
let bundles: string;

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), 'drayage-bundles-'));
  const [first, ...others] = stages;
  packaged.set(first, await packageStage(first, functionNames, bundles));
  const done = await Promise.all(others.map(async (stage) => packageStage(stage, functionNames, bundles)));
  for (const [index, stage] of others.entries()) packaged.set(stage, required(done[index]));
}, 500_000);

afterAll(async () => {
  await rm(bundles, { recursive: true, force: true });
});

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('not there');
  return value;
}

const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform(({ 'Fn::GetAtt': [id] }) => id),
]);
const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const some = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);
const statement = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: some,
  Principal: z.unknown().optional(),
  Condition: z.unknown().optional(),
});
const policy = z.object({ Statement: z.array(statement) });
const sub = z.object({ 'Fn::Sub': z.string() }).transform((value) => value['Fn::Sub']);

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
  VisibilityTimeout: z.int().optional(),
  MessageRetentionPeriod: z.int(),
  SqsManagedSseEnabled: z.literal(true),
  RedrivePolicy: z.object({ deadLetterTargetArn: reference, maxReceiveCount: z.int().min(3) }).optional(),
});
const mappingProperties = z.object({
  EventSourceArn: reference,
  FunctionName: reference,
  BatchSize: z.int(),
  MaximumBatchingWindowInSeconds: z.int().default(0),
  FunctionResponseTypes: z.tuple([z.literal('ReportBatchItemFailures')]),
  ScalingConfig: z.object({ MaximumConcurrency: z.int().min(2).max(1_000) }).optional(),
});

describe.each(stages)('the stage %s', (stage) => {
  const made = (): PackagedStage => required(packaged.get(stage));
  const ofType = (type: string): [string, Resource][] =>
    Object.entries(made().template.Resources).filter(([, resource]) => resource.Type === type);
  const propertiesOf = <T>(type: string, schema: z.ZodType<T>): Map<string, T> =>
    new Map(ofType(type).map(([id, { Properties }]) => [id, schema.parse(Properties)]));

  const lambdas = () => propertiesOf('AWS::Lambda::Function', functionProperties);
  const queues = () => propertiesOf('AWS::SQS::Queue', queueProperties);
  const queueMappings = () =>
    [...propertiesOf('AWS::Lambda::EventSourceMapping', mappingProperties).values()].filter(
      ({ EventSourceArn }) => EventSourceArn.endsWith('Queue'),
    );
  const rolePolicies = () =>
    propertiesOf('AWS::IAM::Role', z.object({ Policies: z.array(z.object({ PolicyDocument: policy })) }));

  test('is packaged without network, credentials or a warning', () => {
    expect(made().said).not.toMatch(/warn|deprecat|error/i);
    expect([...lambdas().keys()].sort()).toEqual(
      functionNames.map((name) => `${name.charAt(0).toUpperCase()}${name.slice(1)}LambdaFunction`).sort(),
    );
  });

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

  test('lets a message come back only when its function cannot be at it any more', () => {
    const all = queues();
    for (const { EventSourceArn, FunctionName, MaximumBatchingWindowInSeconds } of queueMappings()) {
      const { VisibilityTimeout = 30 } = required(all.get(EventSourceArn));
      const { Timeout } = required(lambdas().get(FunctionName));
      expect(VisibilityTimeout).toBeGreaterThanOrEqual(Timeout + MaximumBatchingWindowInSeconds);
    }
  });

  test('sets aside what a queue cannot deliver, and keeps it longer than the queue would', () => {
    const all = queues();
    for (const [id, { RedrivePolicy, MessageRetentionPeriod }] of all) {
      if (id.endsWith('DeadQueue') || id === 'RelayFailuresQueue') {
        expect(RedrivePolicy).toBeUndefined();
        continue;
      }
      expect(RedrivePolicy?.deadLetterTargetArn).toBe(id.replace(/Queue$/, 'DeadQueue'));
      const dead = required(all.get(id.replace(/Queue$/, 'DeadQueue')));
      expect(dead.MessageRetentionPeriod).toBeGreaterThan(MessageRetentionPeriod);
      expect(queueMappings().filter(({ EventSourceArn }) => EventSourceArn === id)).toHaveLength(1);
    }
  });

  test('bounds how many of a function run at once behind a queue', () => {
    for (const { ScalingConfig } of queueMappings()) expect(ScalingConfig).toBeDefined();
  });

  test('never lets a record of the stream hold up its shard for good', () => {
    const stream = required(
      ofType('AWS::Lambda::EventSourceMapping').find(([id]) => id.includes('Dynamodb'))?.[1].Properties,
    );
    expect(stream).toMatchObject({
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['RelayFailuresQueue', 'Arn'] } } },
    });
    const bounds = z
      .object({ MaximumRetryAttempts: z.int().min(1), MaximumRecordAgeInSeconds: z.int().min(60) })
      .parse(stream);
    expect(bounds.MaximumRetryAttempts).toBeLessThanOrEqual(100);
    expect(bounds.MaximumRecordAgeInSeconds).toBeLessThan(86_400);
  });

  test('tells the relay of every kind of row that it tells the world of', () => {
    const [, { Properties }] = required(
      ofType('AWS::Lambda::EventSourceMapping').find(([id]) => id.includes('Dynamodb')),
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

  test('gives each function, and the API, a role of its own, with nothing of everything', () => {
    const roles = [...[...lambdas().values()].map(({ Role }) => Role), 'ApiRole'];
    expect(new Set(roles).size).toBe(roles.length);
    expect([...rolePolicies().keys()].sort()).toEqual([...roles].sort());
    for (const [id, { Policies }] of rolePolicies()) {
      for (const { Effect, Action, Resource } of Policies.flatMap(
        ({ PolicyDocument }) => PolicyDocument.Statement,
      )) {
        expect(Effect).toBe('Allow');
        for (const action of Action) expect(`${id} ${action}`).not.toContain('*');
        for (const one of Resource) expect(`${id} ${JSON.stringify(one)}`).not.toMatch(/ "\*"$/);
      }
    }
  });

  test('lets only functions that touch hosts fetch passwords, and only those of the stage', () => {
    const readers = [...rolePolicies()].flatMap(([id, { Policies }]) =>
      Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
        .filter(({ Action }) => Action.some((action) => action.startsWith('secretsmanager:')))
        .map(({ Resource }) => {
          expect(JSON.stringify(Resource)).toContain(`:secret:drayage/${stage}/*`);
          return id;
        }),
    );
    const touching = Object.entries(functions).filter(([, touches]) => touches !== 'no host');
    expect(readers.sort()).toEqual(
      touching.map(([name]) => `${name.charAt(0).toUpperCase()}${name.slice(1)}Role`).sort(),
    );
  });

  test('refuses whatever does not come over TLS', () => {
    const covered = (type: string, property: 'Queues' | 'Topics' | 'Bucket'): string[] =>
      ofType(type).flatMap(([, { Properties }]) => {
        const { Statement } = policy.parse(Properties['PolicyDocument']);
        const denies = Statement.some(
          ({ Effect, Condition }) =>
            Effect === 'Deny' &&
            /^{"Bool":{"aws:SecureTransport":"?false"?}}$/.test(JSON.stringify(Condition)),
        );
        return denies ? some.parse(Properties[property]).map((one) => reference.parse(one)) : [];
      });
    expect(covered('AWS::SQS::QueuePolicy', 'Queues').sort()).toEqual([...queues().keys()].sort());
    expect(covered('AWS::SNS::TopicPolicy', 'Topics').sort()).toEqual(ids('AWS::SNS::Topic'));
    expect(covered('AWS::S3::BucketPolicy', 'Bucket').sort()).toEqual(ids('AWS::S3::Bucket'));
  });

  test('lets the world send to its queues through their topics only', () => {
    for (const [id, { Properties }] of ofType('AWS::SQS::QueuePolicy')) {
      const { Statement } = policy.parse(Properties['PolicyDocument']);
      for (const { Effect, Condition, Resource, Principal } of Statement) {
        if (Effect === 'Deny') continue;
        expect(Principal).toEqual({ Service: 'sns.amazonaws.com' });
        const topic = id.replace(/(?:Dead)?QueuePolicy$/, 'Topic');
        expect(ids('AWS::SNS::Topic')).toContain(topic);
        expect(Condition).toEqual({ ArnEquals: { 'aws:SourceArn': { Ref: topic } } });
        expect(Resource.map((one) => reference.parse(one))).toEqual([id.replace(/Policy$/, '')]);
      }
    }
  });

  test('takes notices of manifests from its own bucket only, under a key that S3 may use', () => {
    const { Properties } = required(made().template.Resources['ManifestsTopicPolicy']);
    const allowed = policy
      .parse(Properties['PolicyDocument'])
      .Statement.filter(({ Effect }) => Effect === 'Allow');
    const bucket = required(made().template.Resources['ManifestsBucket']);
    expect(allowed).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: ['sns:Publish'],
        Resource: [{ Ref: 'ManifestsTopic' }],
        Condition: {
          ArnEquals: {
            'aws:SourceArn': {
              'Fn::Sub': `arn:\${AWS::Partition}:s3:::${sub.parse(bucket.Properties['BucketName'])}`,
            },
          },
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        },
      },
    ]);
    expect(bucket.Properties['NotificationConfiguration']).toEqual({
      TopicConfigurations: [{ Event: 's3:ObjectCreated:*', Topic: { Ref: 'ManifestsTopic' } }],
    });
    // S3 tries the topic when it is told of it.
    expect(bucket.DependsOn).toEqual(['ManifestsTopicPolicy']);
    const topic = required(made().template.Resources['ManifestsTopic']).Properties;
    expect(topic['KmsMasterKeyId']).toEqual({ Ref: 'ManifestsKey' });
    const { Statement } = policy.parse(
      required(made().template.Resources['ManifestsKey']).Properties['KeyPolicy'],
    );
    expect(Statement).toContainEqual(
      expect.objectContaining({
        Principal: { Service: 's3.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
  });

  test('lets the reader of manifests read them, and write nothing there', () => {
    const { Policies } = required(rolePolicies().get('IngestManifestRole'));
    const actions = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Resource }) => JSON.stringify(Resource).includes('ManifestsBucket'))
      .flatMap(({ Action }) => Action);
    expect(actions).toEqual(['s3:GetObject', 's3:GetObjectVersion']);
  });

  test('lets nobody but alarms of its own account scale anything, and those tell of both ways', () => {
    const allowed = ofType('AWS::SNS::TopicPolicy').flatMap(([id, { Properties }]) =>
      policy
        .parse(Properties['PolicyDocument'])
        .Statement.filter(({ Effect }) => Effect === 'Allow')
        .filter(() => id === 'ScaleTopicPolicy')
        .map((allows) => ({ id, ...allows })),
    );
    expect(allowed).toMatchObject([
      {
        id: 'ScaleTopicPolicy',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['sns:Publish'],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(0);
    for (const [, { Properties }] of alarms) {
      expect(Properties).toMatchObject({
        AlarmName: expect.stringMatching(new RegExp(`^drayage-${stage}-scale-`)),
        Namespace: 'Drayage',
        AlarmActions: [{ Ref: 'ScaleTopic' }],
        OKActions: [{ Ref: 'ScaleTopic' }],
      });
    }
  });

  test('lets the API do what its document asks for, and nothing else', () => {
    const document = z.looseObject({}).parse(required(made().template.Resources['Api']).Properties['Body']);
    const asked = [...JSON.stringify(document).matchAll(/:dynamodb:action\/([A-Za-z]+)/g)].map(
      ([, action]) => `dynamodb:${action ?? ''}`,
    );
    const allowed = required(rolePolicies().get('ApiRole')).Policies.flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    expect([...new Set(allowed)].sort()).toEqual([...new Set(asked)].sort());
  });

  test('deploys the API anew whenever its document or a template is another one', () => {
    const [[deployment] = []] = ofType('AWS::ApiGateway::Deployment');
    expect(ofType('AWS::ApiGateway::Stage').map(([, { Properties }]) => Properties)).toMatchObject([
      { DeploymentId: { Ref: deployment }, StageName: stage, Variables: { table: { Ref: 'Table' } } },
    ]);
    expect(deployment).toMatch(/^ApiDeployment[0-9a-f]{12}$/);
    // The files are the same in every stage.
    expect(deployment).toBe(
      Object.keys(required(packaged.get('dev')).template.Resources).find((id) =>
        id.startsWith('ApiDeployment'),
      ),
    );
  });

  test('asks for a key on every route of the API but what browsers ask beforehand', () => {
    const methods = z
      .looseObject({
        security: z.array(z.unknown()).min(1),
        paths: z.record(
          z.string(),
          z.record(z.string(), z.looseObject({ security: z.unknown().optional() })),
        ),
      })
      .parse(required(made().template.Resources['Api']).Properties['Body']).paths;
    for (const [path, verbs] of Object.entries(methods)) {
      for (const [verb, { security }] of Object.entries(verbs))
        expect({ path, verb, security }).toEqual({
          path,
          verb,
          security: verb === 'options' ? [] : undefined,
        });
    }
    expect(ofType('AWS::ApiGateway::UsagePlanKey')).toMatchObject([
      ['ApiUsagePlanKey', { Properties: { KeyId: { Ref: 'ApiKey' }, UsagePlanId: { Ref: 'ApiUsagePlan' } } }],
    ]);
  });

  test('encrypts what lies still', () => {
    for (const [, { Properties }] of ofType('AWS::SNS::Topic'))
      expect(Properties['KmsMasterKeyId']).toBeTruthy();
    for (const [, { Properties }] of ofType('AWS::S3::Bucket')) {
      expect(Properties['BucketEncryption']).toBeDefined();
      expect(Properties['PublicAccessBlockConfiguration']).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
    }
    expect(table()['SSESpecification']).toEqual({ SSEEnabled: true });
  });

  test('shows the console to browsers through its distribution, and its bucket to nobody else', () => {
    expect(made().template.Resources['ConsoleBucketPolicy']?.Properties).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny' },
          {
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Action: 's3:GetObject',
            Condition: {
              StringEquals: {
                'AWS:SourceArn': {
                  'Fn::Sub': expect.stringMatching(/:distribution\/\${ConsoleDistribution}$/),
                },
              },
            },
          },
        ],
      },
    });
    expect(made().template.Resources['ConsoleDistribution']?.Properties).toMatchObject({
      DistributionConfig: {
        Origins: [{ OriginAccessControlId: { 'Fn::GetAtt': ['ConsoleAccess', 'Id'] } }],
        DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https', AllowedMethods: ['GET', 'HEAD'] },
      },
    });
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
        Object.entries(indexes).map(([name, { hash, range, include }]) => [name, { hash, range, include }]),
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
      expect(made().template.Resources[id]).toMatchObject({
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

  test('keeps the logs of every function for a while, not for ever', () => {
    const groups = propertiesOf(
      'AWS::Logs::LogGroup',
      z.object({ LogGroupName: z.string(), RetentionInDays: z.int().min(1).max(90) }),
    );
    expect([...groups.values()].map(({ LogGroupName }) => LogGroupName).sort()).toEqual(
      [...lambdas().values()].map(({ FunctionName }) => `/aws/lambda/${FunctionName}`).sort(),
    );
  });

  test('has no circle among its resources, and every reference leads somewhere', () => {
    const known = Object.keys(made().template.Resources);
    const open = new Set<string>();
    const closed = new Set<string>();
    const visit = (id: string, path: readonly string[]): void => {
      if (closed.has(id)) return;
      expect([...path, id].join(' → ')).toBe(open.has(id) ? 'no circle' : [...path, id].join(' → '));
      open.add(id);
      const next = required(made().template.Resources[id]);
      for (const other of referencesIn(next)) {
        expect(known).toContain(other);
        visit(other, [...path, id]);
      }
      open.delete(id);
      closed.add(id);
    };
    for (const id of known) visit(id, []);
    expect(closed.size).toBe(known.length);
  });

  test('tells what the command line and the embedded cloud need to know', () => {
    expect(Object.keys(made().template.Outputs)).toEqual(
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

  const table = () => required(made().template.Resources['Table']).Properties;
  const ids = (type: string): string[] =>
    ofType(type)
      .map(([id]) => id)
      .sort();
});

describe('the bundles', () => {
  const bundle = (name: string) => required(required(packaged.get('dev')).bundles.get(name));

  test.each(Object.entries(functions))('%s (%s) is within its budget', (name, touches) => {
    const { gzipBytes, files } = bundle(name);
    process.stdout.write(`${name}: ${String(Math.ceil(gzipBytes / 1_024))} KB gzipped\n`);
    expect(gzipBytes).toBeLessThanOrEqual(budgetKb[touches] * 1_024);
    expect(files.filter(({ path }) => path.endsWith('handler.mjs'))).toHaveLength(1);
  });

  test('only functions that touch hosts carry a database client', () => {
    for (const [name, touches] of Object.entries(functions)) {
      const code = bundle(name)
        .files.map(({ text }) => text)
        .join('\n');
      expect(code.includes('pg_stat_activity')).toBe(touches !== 'no host');
    }
  });

  test('only the transfer carries pg_dump', () => {
    for (const [name, touches] of Object.entries(functions)) {
      const extra = bundle(name).files.filter(({ path }) => path.startsWith('node_modules/'));
      expect(extra.map(({ path }) => path).some((path) => path.endsWith('pg_dump.wasm'))).toBe(
        touches === 'schema dump',
      );
    }
  });
});

/** A value of the right form for what is known only once it is deployed. */
function standIn([name, value]: [string, unknown]): [string, string] {
  if (typeof value === 'string') return [name, value];
  const id = reference.parse(value);
  if (id.endsWith('Queue')) return [name, `https://sqs.eu-central-1.amazonaws.com/000000000000/${id}`];
  return [name, id.endsWith('Topic') ? `arn:aws:sns:eu-central-1:000000000000:${id}` : id];
}

/** Ids of all resources that a resource names. */
function referencesIn(value: unknown): string[] {
  const found = new Set<string>();
  const walk = (part: unknown, key: string): void => {
    if (key === 'Ref' && typeof part === 'string') add(part);
    else if (key === 'Fn::GetAtt' && Array.isArray(part)) add(String(part[0]));
    else if (key === 'Fn::Sub' && typeof part === 'string') {
      for (const [, name = ''] of part.matchAll(/\$\{([^}.]+)/g)) add(name);
    } else if (key === 'DependsOn') for (const id of some.parse(part)) add(String(id));
    else if (Array.isArray(part)) for (const item of part) walk(item, '');
    else if (typeof part === 'object' && part !== null) {
      for (const [name, item] of Object.entries(part)) if (item !== undefined) walk(item, name);
    }
  };
  const add = (id: string): void => {
    if (!id.startsWith('AWS::')) found.add(id);
  };
  walk(value, '');
  return [...found];
}
