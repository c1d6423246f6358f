import type { CloudDescription } from '../protocol.ts';
import type { Stack } from '../template/stack.ts';

/** Resource types of the template that the embedded cloud runs. */
const EMULATED: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::ApiKey',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::ApiGateway::UsagePlan',
  'AWS::ApiGateway::UsagePlanKey',
  'AWS::CloudWatch::Alarm',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
  'AWS::Scheduler::Schedule',
  'AWS::SecretsManager::Secret',
]);

/** What of the template is not run here, by type. */
export function notEmulated(stack: Stack): CloudDescription['notEmulated'] {
  return [...stack.types]
    .filter(([type]) => !EMULATED.has(type))
    .map(([type, logicalIds]) => ({ type, logicalIds: [...logicalIds] }))
    .sort((left, right) => (left.type < right.type ? -1 : 1));
}
