import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { readDocument, sectionsOf } from '../support/markdown.ts';
import { required, texts, type PackagedTemplate } from './template.ts';

/** By what CloudFormation makes each kind of resource that a stage has. */
const making: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::ApiKey': 'apigateway:POST',
  'AWS::ApiGateway::Deployment': 'apigateway:POST',
  'AWS::ApiGateway::RestApi': 'apigateway:POST',
  'AWS::ApiGateway::Stage': 'apigateway:POST',
  'AWS::ApiGateway::UsagePlan': 'apigateway:POST',
  'AWS::ApiGateway::UsagePlanKey': 'apigateway:POST',
  'AWS::CloudFront::Distribution': 'cloudfront:CreateDistribution',
  'AWS::CloudFront::OriginAccessControl': 'cloudfront:CreateOriginAccessControl',
  'AWS::CloudWatch::Alarm': 'cloudwatch:PutMetricAlarm',
  'AWS::CloudWatch::Dashboard': 'cloudwatch:PutDashboard',
  'AWS::DynamoDB::Table': 'dynamodb:CreateTable',
  'AWS::EC2::SecurityGroup': 'ec2:CreateSecurityGroup',
  'AWS::EC2::VPCEndpoint': 'ec2:CreateVpcEndpoint',
  'AWS::Events::Rule': 'events:PutRule',
  'AWS::IAM::Role': 'iam:CreateRole',
  'AWS::KMS::Key': 'kms:CreateKey',
  'AWS::Lambda::EventSourceMapping': 'lambda:CreateEventSourceMapping',
  'AWS::Lambda::Function': 'lambda:CreateFunction',
  'AWS::Lambda::Permission': 'lambda:AddPermission',
  'AWS::Logs::LogGroup': 'logs:CreateLogGroup',
  'AWS::S3::Bucket': 's3:CreateBucket',
  'AWS::S3::BucketPolicy': 's3:PutBucket*',
  'AWS::SNS::Subscription': 'sns:Subscribe',
  'AWS::SNS::Topic': 'sns:CreateTopic',
  'AWS::SNS::TopicPolicy': 'sns:SetTopicAttributes',
  'AWS::SQS::Queue': 'sqs:CreateQueue',
  'AWS::SQS::QueuePolicy': 'sqs:SetQueueAttributes',
};

const policy = z.object({ Statement: z.array(z.object({ Sid: z.string(), Action: texts })) });

/** What docs/deploy.md asks of whoever deploys has to be enough for every kind of resource that there is. */
export function testDeployDocument(made: readonly (() => PackagedTemplate)[]): void {
  const policies = new Map(
    sectionsOf(readDocument('docs/deploy.md')).flatMap(({ anchor, text }) =>
      [...text.matchAll(/^```json\n(?<json>[^]*?)^```$/gm)].map(({ groups: { json = '' } = {} }) => [
        anchor,
        json,
      ]),
    ),
  );

  test('whoever deploys by docs/deploy.md may make every kind of resource', () => {
    const { Statement } = policy.parse(JSON.parse(required(policies.get('who-deploys'))));
    const allowed = new Set(Statement.flatMap(({ Action }) => Action));
    const kinds = new Set(
      made.flatMap((template) => Object.values(template().Resources).map(({ Type }) => Type)),
    );
    for (const kind of kinds) {
      expect({ kind, by: making[kind] }).toEqual({ kind, by: expect.any(String) });
      expect({ kind, may: allowed.has(making[kind] ?? '') }).toEqual({ kind, may: true });
    }
  });

  test.each(['who-deploys', 'who-operates'])('the policy of %s is one that IAM takes', (anchor) => {
    const text = required(policies.get(anchor));
    const { Statement } = policy.parse(JSON.parse(text));
    // The most that a managed policy may have.
    expect(text.replaceAll(/\s/g, '').length).toBeLessThanOrEqual(6_144);
    expect(new Set(Statement.map(({ Sid }) => Sid)).size).toBe(Statement.length);
  });
}
