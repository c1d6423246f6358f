import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { policy, rolePoliciesOf } from './policies.ts';
import { idsOf, ofType, reference, required, type PackagedTemplate } from './template.ts';

const sub = z.object({ 'Fn::Sub': z.string() }).transform((value) => value['Fn::Sub']);

/** What must hold of the ways into our own stack: topics and their queues, the bucket for manifests, API, console. */
export function testDoors(stage: string, made: () => PackagedTemplate, dev: () => PackagedTemplate): void {
  test('lets the world send to its queues through their topics only', () => {
    for (const [id, { Properties }] of ofType(made(), 'AWS::SQS::QueuePolicy')) {
      const { Statement } = policy.parse(Properties['PolicyDocument']);
      for (const { Effect, Condition, Resource, Principal } of Statement) {
        if (Effect === 'Deny') continue;
        expect(Principal).toEqual({ Service: 'sns.amazonaws.com' });
        const topic = id.replace(/(?:Dead)?QueuePolicy$/, 'Topic');
        expect(idsOf(made(), 'AWS::SNS::Topic')).toContain(topic);
        expect(Condition).toEqual({
          ArnEquals: { 'aws:SourceArn': { Ref: topic } },
          StringEqualsIfExists: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        });
        expect(Resource.map((one) => reference.parse(one))).toEqual([id.replace(/Policy$/, '')]);
      }
    }
  });

  test('takes notices of manifests from its own bucket only, under a key that S3 may use', () => {
    const { Properties } = required(made().Resources['ManifestsTopicPolicy']);
    const allowed = policy
      .parse(Properties['PolicyDocument'])
      .Statement.filter(({ Effect }) => Effect === 'Allow');
    const bucket = required(made().Resources['ManifestsBucket']);
    expect(allowed).toEqual([
      {
        Sid: 'FromItsBucket',
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
    const topic = required(made().Resources['ManifestsTopic']).Properties;
    expect(topic['KmsMasterKeyId']).toEqual({ Ref: 'ManifestsKey' });
    const { Statement } = policy.parse(required(made().Resources['ManifestsKey']).Properties['KeyPolicy']);
    expect(Statement).toContainEqual(
      expect.objectContaining({
        Principal: { Service: 's3.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
  });

  test('lets the reader of manifests read them, and write nothing there', () => {
    const { Policies } = required(rolePoliciesOf(made()).get('IngestManifestRole'));
    const actions = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .filter(({ Resource }) => JSON.stringify(Resource).includes('ManifestsBucket'))
      .flatMap(({ Action }) => Action);
    expect(actions).toEqual(['s3:GetObject', 's3:GetObjectVersion']);
  });

  test('lets nobody but alarms of its own account scale anything, and those tell of both ways', () => {
    const allowed = ofType(made(), 'AWS::SNS::TopicPolicy').flatMap(([id, { Properties }]) =>
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
    const alarms = ofType(made(), 'AWS::CloudWatch::Alarm').filter(
      ([id]) => id.startsWith('Scale') && id !== 'ScaleDeadAlarm',
    );
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
    const document = z.looseObject({}).parse(required(made().Resources['Api']).Properties['Body']);
    const text = JSON.stringify(document);
    const asked = [...text.matchAll(/:dynamodb:action\/([A-Za-z]+)/g)].map(
      ([, action]) => `dynamodb:${action ?? ''}`,
    );
    if (text.includes(':lambda:path/')) asked.push('lambda:InvokeFunction');
    const allowed = required(rolePoliciesOf(made()).get('ApiRole')).Policies.flatMap(({ PolicyDocument }) =>
      PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    expect([...new Set(allowed)].sort()).toEqual([...new Set(asked)].sort());
  });

  test('gives explanations, which a function makes, a limit of their own, and lets them write nothing', () => {
    const { Properties } = required(ofType(made(), 'AWS::ApiGateway::Stage')[0]?.[1]);
    const [whole, ...explained] = z
      .array(z.object({ ResourcePath: z.string(), ThrottlingRateLimit: z.number() }))
      .parse(Properties['MethodSettings']);
    expect(explained.map(({ ResourcePath }) => ResourcePath).sort()).toEqual(
      ['batches', 'endpoints', 'hosts', 'moves'].map((kind) => `/~1${kind}~1{id}~1explanation`),
    );
    for (const { ThrottlingRateLimit } of explained)
      expect(ThrottlingRateLimit).toBeLessThan(required(whole).ThrottlingRateLimit);
    const allowed = required(rolePoliciesOf(made()).get('ExplainRole')).Policies.flatMap(
      ({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action),
    );
    expect(allowed.filter((action) => action.startsWith('dynamodb:')).sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
    ]);
  });

  test('deploys the API anew whenever its document or a template is another one', () => {
    const [[deployment] = []] = ofType(made(), 'AWS::ApiGateway::Deployment');
    expect(ofType(made(), 'AWS::ApiGateway::Stage').map(([, { Properties }]) => Properties)).toMatchObject([
      { DeploymentId: { Ref: deployment }, StageName: stage, Variables: { table: { Ref: 'Table' } } },
    ]);
    expect(deployment).toMatch(/^ApiDeployment[0-9a-f]{12}$/);
    // The files are the same in every stage.
    expect(deployment).toBe(Object.keys(dev().Resources).find((id) => id.startsWith('ApiDeployment')));
  });

  test('asks for a key on every route of the API but what browsers ask beforehand', () => {
    const { security: atRoot, paths: methods } = z
      .looseObject({
        security: z.unknown().optional(),
        paths: z.record(
          z.string(),
          z.record(z.string(), z.looseObject({ security: z.unknown().optional() })),
        ),
      })
      .parse(required(made().Resources['Api']).Properties['Body']);
    // API Gateway pays no heed to it: whoever relied on it would have an open API.
    expect(atRoot).toBeUndefined();
    for (const [path, verbs] of Object.entries(methods)) {
      for (const [verb, { security }] of Object.entries(verbs))
        expect({ path, verb, security }).toEqual({
          path,
          verb,
          security: verb === 'options' ? [] : [{ api_key: [] }],
        });
    }
    expect(ofType(made(), 'AWS::ApiGateway::UsagePlanKey')).toMatchObject([
      ['ApiUsagePlanKey', { Properties: { KeyId: { Ref: 'ApiKey' }, UsagePlanId: { Ref: 'ApiUsagePlan' } } }],
    ]);
  });

  test('shows the console to browsers through its distribution, and its bucket to nobody else', () => {
    expect(made().Resources['ConsoleBucketPolicy']?.Properties).toMatchObject({
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
    expect(made().Resources['ConsoleDistribution']?.Properties).toMatchObject({
      DistributionConfig: {
        Origins: [{ OriginAccessControlId: { 'Fn::GetAtt': ['ConsoleAccess', 'Id'] } }],
        DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https', AllowedMethods: ['GET', 'HEAD'] },
      },
    });
  });
}
