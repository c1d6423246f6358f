import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createResolver, type Resolver } from './intrinsics.ts';
import type { Template } from './template.ts';

/** The account that every emulated resource belongs to. */
export const ACCOUNT_ID = '000000000000';

/** A resource of the template with its properties resolved. */
export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The template, resolved against this machine: physical names, attributes, properties, outputs. */
export interface Stack {
  readonly region: string;
  /** Every resource whose condition holds, of one of the given types; properties are resolved on reading. */
  ofType(...types: readonly string[]): Resource[];
  /** Types present in the template, with the logical ids of each. */
  readonly types: ReadonlyMap<string, readonly string[]>;
  /** The value of `Ref`: a queue's URL, a topic's ARN, the name of nearly everything else. */
  ref(logicalId: string): string;
  arn(logicalId: string): string;
  /** Records an attribute that is known only once the resource exists (a stream's ARN). */
  learn(logicalId: string, attribute: string, value: string): void;
  /** The logical id of the resource with this ARN or name, if the template has it. */
  find(type: string, arnOrName: string): string | undefined;
  outputs(): Record<string, string>;
}

/** What the stack is resolved against. */
export interface StackOptions {
  readonly template: Template;
  readonly stackName: string;
  readonly region: string;
  /** Base URL of queues, as the SQS server gives them out: `http://127.0.0.1:4566`. */
  readonly queueEndpoint: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const NAME_PROPERTIES: Readonly<Record<string, string>> = {
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::Events::Rule': 'Name',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::ApiGateway::Stage': 'StageName',
};

/** Resolves a template. Names that it leaves open are derived from the stack's name, the same on each start. */
export function createStack(options: StackOptions): Stack {
  const { template, stackName, region } = options;
  const names = new Map<string, string>();
  const learned = new Map<string, string>();

  function physicalName(logicalId: string): string {
    const known = names.get(logicalId);
    if (known !== undefined) return known;
    const resource = template.Resources[logicalId];
    const type = resource?.Type ?? '';
    const given = resource?.Properties[NAME_PROPERTIES[type] ?? ''];
    const name =
      given === undefined
        ? generatedName(stackName, logicalId, type)
        : z.string().parse(resolver.resolve(given));
    names.set(logicalId, name);
    return name;
  }

  function arnOf(logicalId: string): string {
    const type = template.Resources[logicalId]?.Type ?? '';
    const name = physicalName(logicalId);
    const regional = (service: string, path: string): string =>
      `arn:aws:${service}:${region}:${ACCOUNT_ID}:${path}`;
    switch (type) {
      case 'AWS::SQS::Queue':
        return regional('sqs', name);
      case 'AWS::SNS::Topic':
        return regional('sns', name);
      case 'AWS::S3::Bucket':
        return `arn:aws:s3:::${name}`;
      case 'AWS::DynamoDB::Table':
        return regional('dynamodb', `table/${name}`);
      case 'AWS::Lambda::Function':
        return regional('lambda', `function:${name}`);
      case 'AWS::SecretsManager::Secret':
        return secretArn(region, name);
      case 'AWS::Events::Rule':
        return regional('events', `rule/${name}`);
      case 'AWS::Scheduler::Schedule':
        return regional('scheduler', `schedule/default/${name}`);
      case 'AWS::IAM::Role':
        return `arn:aws:iam::${ACCOUNT_ID}:role/${name}`;
      case 'AWS::Logs::LogGroup':
        return regional('logs', `log-group:${name}:*`);
      case 'AWS::CloudWatch::Alarm':
        return regional('cloudwatch', `alarm:${name}`);
      default:
        return regional(type.split('::')[1]?.toLowerCase() ?? 'unknown', name);
    }
  }

  function reference(logicalId: string): string {
    switch (template.Resources[logicalId]?.Type) {
      case 'AWS::SQS::Queue':
        return `${options.queueEndpoint}/${ACCOUNT_ID}/${physicalName(logicalId)}`;
      case 'AWS::SNS::Topic':
      case 'AWS::SecretsManager::Secret':
        return arnOf(logicalId);
      default:
        return physicalName(logicalId);
    }
  }

  function attribute(logicalId: string, name: string): string {
    const value = learned.get(`${logicalId}.${name}`);
    if (value !== undefined) return value;
    if (name === 'QueueUrl') return reference(logicalId);
    if (name.endsWith('Arn')) return arnOf(logicalId);
    if (name === 'DomainName' || name === 'RegionalDomainName')
      return `${physicalName(logicalId)}.s3.amazonaws.com`;
    return physicalName(logicalId);
  }

  const resolver: Resolver = createResolver(template, {
    region,
    accountId: ACCOUNT_ID,
    stackName,
    parameters: options.parameters ?? {},
    ref: reference,
    attribute,
  });

  const present = Object.entries(template.Resources).filter(([, resource]) =>
    resolver.holds(resource.Condition),
  );
  const types = new Map<string, string[]>();
  for (const [logicalId, resource] of present) {
    types.set(resource.Type, [...(types.get(resource.Type) ?? []), logicalId]);
  }

  return {
    region,
    types,
    ofType: (...wanted) =>
      present
        .filter(([, resource]) => wanted.includes(resource.Type))
        .map(([logicalId, resource]) => ({
          logicalId,
          type: resource.Type,
          properties: z.record(z.string(), z.unknown()).parse(resolver.resolve(resource.Properties)),
        })),
    ref: reference,
    arn: arnOf,
    learn: (logicalId, name, value) => {
      learned.set(`${logicalId}.${name}`, value);
    },
    find: (type, arnOrName) =>
      types.get(type)?.find((id) => [physicalName(id), arnOf(id), reference(id)].includes(arnOrName)),
    outputs: () =>
      Object.fromEntries(
        Object.entries(template.Outputs)
          .filter(([, output]) => resolver.holds(output.Condition))
          .map(([name, output]) => [name, textOf(resolver.resolve(output.Value))]),
      ),
  };
}

/** The ARN of a secret; like AWS's it ends with six characters that are not part of the name. */
export function secretArn(region: string, name: string): string {
  const suffix = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return `arn:aws:secretsmanager:${region}:${ACCOUNT_ID}:secret:${name}-${suffix}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** As CloudFormation does, but stable: stack, logical id and a short digest of both; S3 wants lower case. */
function generatedName(stackName: string, logicalId: string, type: string): string {
  const digest = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 8);
  const name = `${stackName}-${logicalId}-${digest}`;
  return type === 'AWS::S3::Bucket'
    ? name
        .toLowerCase()
        .slice(-63)
        .replace(/^[^a-z0-9]+/, '')
    : name;
}
