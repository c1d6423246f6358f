import * as z from 'zod';
import { policy } from '../policies.ts';
import { ofType, reference, some, type PackagedTemplate } from '../template.ts';
import type { Rule } from './rule.ts';

const all = (template: PackagedTemplate, type: string, schema: z.ZodType, fault: string): string[] =>
  ofType(template, type)
    .filter(([, { Properties }]) => !schema.safeParse(Properties).success)
    .map(([id]) => `${id} ${fault}`);

const key = z.union([z.string().min(1), z.record(z.string(), z.unknown())]);

const encrypts: Rule = {
  name: 'encrypts what lies still',
  faults: (template) => [
    ...all(
      template,
      'AWS::SQS::Queue',
      z.union([z.object({ SqsManagedSseEnabled: z.literal(true) }), z.object({ KmsMasterKeyId: key })]),
      'keeps messages in the clear',
    ),
    ...all(template, 'AWS::SNS::Topic', z.object({ KmsMasterKeyId: key }), 'keeps messages in the clear'),
    ...all(
      template,
      'AWS::S3::Bucket',
      z.object({
        BucketEncryption: z.object({
          ServerSideEncryptionConfiguration: z.tuple([
            z.object({
              ServerSideEncryptionByDefault: z.union([
                z.object({ SSEAlgorithm: z.literal('AES256') }),
                z.object({ SSEAlgorithm: z.literal('aws:kms'), KMSMasterKeyID: key }),
              ]),
            }),
          ]),
        }),
      }),
      'keeps objects in the clear',
    ),
    ...all(
      template,
      'AWS::DynamoDB::Table',
      z.object({ SSESpecification: z.object({ SSEEnabled: z.literal(true) }) }),
      'keeps rows under a key of which nobody hears',
    ),
    ...all(
      template,
      'AWS::KMS::Key',
      z.object({ EnableKeyRotation: z.literal(true) }),
      'is never another key',
    ),
  ],
};

const shuts: Rule = {
  name: 'shuts its buckets to the public',
  faults: (template) =>
    all(
      template,
      'AWS::S3::Bucket',
      z.object({
        PublicAccessBlockConfiguration: z.object({
          BlockPublicAcls: z.literal(true),
          BlockPublicPolicy: z.literal(true),
          IgnorePublicAcls: z.literal(true),
          RestrictPublicBuckets: z.literal(true),
        }),
      }),
      'can be opened to the public',
    ),
};

const expires: Rule = {
  name: 'lets nothing lie for ever',
  faults: (template) => [
    ...all(
      template,
      'AWS::S3::Bucket',
      z.object({
        LifecycleConfiguration: z.object({
          Rules: z.array(z.object({ Status: z.literal('Enabled') })).min(1),
        }),
      }),
      'has no lifecycle',
    ),
    ...all(
      template,
      'AWS::Logs::LogGroup',
      z.object({ RetentionInDays: z.int().min(1).max(400) }),
      'keeps logs for ever',
    ),
    ...all(
      template,
      'AWS::DynamoDB::Table',
      z.object({
        TimeToLiveSpecification: z.object({
          Enabled: z.literal(true),
          AttributeName: z.literal('expiresAt'),
        }),
      }),
      'keeps rows whose time is over',
    ),
    ...logless(template),
  ],
};

/** Lambda makes a group that keeps everything where there is none. */
function logless(template: PackagedTemplate): string[] {
  const groups = ofType(template, 'AWS::Logs::LogGroup').map(([, { Properties }]) =>
    JSON.stringify(Properties['LogGroupName']),
  );
  return ofType(template, 'AWS::Lambda::Function')
    .filter(
      ([, { Properties }]) =>
        !groups.includes(JSON.stringify(`/aws/lambda/${String(Properties['FunctionName'])}`)),
    )
    .map(([id]) => `${id} has no log group of its own`);
}

const resourcePolicies = (template: PackagedTemplate) =>
  (
    [
      ['AWS::SQS::QueuePolicy', 'PolicyDocument', 'Queues'],
      ['AWS::SNS::TopicPolicy', 'PolicyDocument', 'Topics'],
      ['AWS::S3::BucketPolicy', 'PolicyDocument', 'Bucket'],
      ['AWS::KMS::Key', 'KeyPolicy', ''],
    ] as const
  ).flatMap(([type, property, on]) =>
    ofType(template, type).map(([id, { Properties }]) => ({
      id,
      statements: policy.parse(Properties[property]).Statement,
      on: on === '' ? [id] : some.parse(Properties[on]).map((one) => reference.parse(one)),
    })),
  );

const overTls: Rule = {
  name: 'refuses whatever does not come over TLS',
  faults: (template) => {
    const covered = resourcePolicies(template)
      .filter(({ statements }) =>
        statements.some(
          ({ Effect, Principal, Condition }) =>
            Effect === 'Deny' &&
            Principal === '*' &&
            /^{"Bool":{"aws:SecureTransport":"?false"?}}$/.test(JSON.stringify(Condition)),
        ),
      )
      .flatMap(({ on }) => on);
    return ['AWS::SQS::Queue', 'AWS::SNS::Topic', 'AWS::S3::Bucket']
      .flatMap((type) => ofType(template, type))
      .filter(([id]) => !covered.includes(id))
      .map(([id]) => `${id} answers without TLS`);
  },
};

/** Conditions by which a service says for whom it comes. */
const byArn = /"(?:aws|AWS):SourceArn"/;
const byAccount = /"aws:SourceAccount"|"kms:CallerAccount"/;

const sourced: Rule = {
  name: 'lets services in for their own sources only',
  faults: (template) =>
    resourcePolicies(template).flatMap(({ id, statements }) =>
      statements
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(({ Principal, Condition }) => {
          const who = JSON.stringify(Principal);
          const when = JSON.stringify(Condition ?? {});
          // The account keeps its key: without that nobody could change its policy.
          if (/^{"AWS":{"Fn::Sub":"[^"]*:root"}}$/.test(who)) return [];
          if (who.includes('"*"')) {
            return byAccount.test(when) ? [] : [`${id} lets everybody in`];
          }
          const isKey = template.Resources[id]?.Type === 'AWS::KMS::Key';
          // Keys see the account only: what is encrypted comes from sources that each have a policy of their own.
          const names = byArn.test(when) || isKey;
          // CloudFront names its distribution, and the account within.
          const says = byAccount.test(when) || who.includes('cloudfront.amazonaws.com');
          return names && says ? [] : [`${id} lets ${who} in for whomever it likes`];
        }),
    ),
};

export const dataRules: readonly Rule[] = [encrypts, shuts, expires, overTls, sourced];
