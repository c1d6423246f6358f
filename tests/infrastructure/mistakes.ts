import * as z from 'zod';
import { required, type PackagedTemplate, type Resource } from './template.ts';

/** A template that somebody has spoilt without noticing, and who notices. */
export interface Mistake {
  readonly what: string;
  readonly make: (template: PackagedTemplate) => void;
  /** What the check says. */
  readonly found: RegExp;
}

const record = z.record(z.string(), z.unknown());

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const resource = (template: PackagedTemplate, id: string): Resource => required(template.Resources[id], id);

/** Sets a property, however deep, by its path; undefined takes it away. */
function set(id: string, path: string, value: unknown): Mistake['make'] {
  return (template) => {
    const steps = path.split('.');
    let at: Record<string, unknown> = resource(template, id).Properties;
    for (const step of steps.slice(0, -1)) {
      const next = at[step];
      if (!isRecord(next)) throw new Error(`${id} has no ${path}`);
      at = next;
    }
    Reflect.set(at, required(steps.at(-1)), value);
  };
}

/** Edits the statements of a role. */
function restate(id: string, edit: (statements: unknown[]) => unknown[]): Mistake['make'] {
  return (template) => {
    const { Properties } = resource(template, id);
    const [policy] = z.tuple([z.looseObject({ PolicyDocument: record })]).parse(Properties['Policies']);
    policy.PolicyDocument['Statement'] = edit(z.array(z.unknown()).parse(policy.PolicyDocument['Statement']));
    Properties['Policies'] = [policy];
  };
}

const mappingOf = (queue: string) => `TransferEndpointEventSourceMappingSQS${queue}`;

export const mistakes: readonly Mistake[] = [
  {
    what: 'a queue that keeps its messages in the clear',
    make: set('PlanQueue', 'SqsManagedSseEnabled', false),
    found: /PlanQueue keeps messages in the clear/,
  },
  {
    what: 'a bucket that can be opened to the public',
    make: set('ClaimsBucket', 'PublicAccessBlockConfiguration.BlockPublicPolicy', false),
    found: /ClaimsBucket can be opened to the public/,
  },
  {
    what: 'a queue without dead letters',
    make: set('CutoverQueue', 'RedrivePolicy', undefined),
    found: /CutoverQueue has no queue for dead letters/,
  },
  {
    what: 'dead letters of which nobody is told',
    make: (template) => {
      Reflect.deleteProperty(template.Resources, 'RollbackDeadAlarm');
    },
    found: /RollbackDeadQueue fills and nobody is told/,
  },
  {
    what: 'an alarm that tells nobody what to do',
    make: set('RollbackDeadAlarm', 'AlarmDescription', 'Look at it'),
    found: /RollbackDeadAlarm wakes people and names no section/,
  },
  {
    what: 'an alarm that sends people to a section which is not there',
    make: set('ScaleWaitAlarm', 'AlarmDescription', 'Moves wait: docs/runbook.md#scale-waits'),
    found: /ScaleWaitAlarm names docs\/runbook\.md#scale-waits, which is not there/,
  },
  {
    what: 'a page that names what is not there',
    make: set('Dashboard', 'DashboardBody', { 'Fn::Sub': '{"widgets":["${Tabel}","${!PROP(x)}"]}' }),
    found: /^Dashboard refers to Tabel$/m,
  },
  {
    what: 'a message that comes back while its function is at it',
    make: set('TransferQueue', 'VisibilityTimeout', 899),
    found: /a message of TransferQueue comes back while TransferEndpointLambdaFunction is at it/,
  },
  {
    what: 'a window that the visibility does not cover',
    make: set(mappingOf('TransferQueue'), 'MaximumBatchingWindowInSeconds', 60),
    found: /a message of TransferQueue comes back/,
  },
  {
    what: 'a stream that tries one bad record for a day',
    make: set('RelayChangesEventSourceMappingDynamodbTable', 'MaximumRecordAgeInSeconds', -1),
    found: /does not bound how long a bad record is tried/,
  },
  {
    what: 'a function that takes good records down with a bad one',
    make: set(mappingOf('TransferQueue'), 'FunctionResponseTypes', []),
    found: /takes good records down with a bad one/,
  },
  {
    what: 'a function that may run as often as it likes',
    make: set('SweepRowsLambdaFunction', 'ReservedConcurrentExecutions', undefined),
    found: /SweepRowsLambdaFunction may run as often as it likes at once/,
  },
  {
    what: 'a function without a time limit of its own',
    make: set('PlanBatchLambdaFunction', 'Timeout', undefined),
    found: /PlanBatchLambdaFunction has no time limit of its own/,
  },
  {
    what: 'logs that are kept for ever',
    make: set('PlanBatchLogGroup', 'RetentionInDays', undefined),
    found: /PlanBatchLogGroup keeps logs for ever/,
  },
  {
    what: 'a role that may do everything to the table',
    make: restate('PlanBatchRole', (statements) => [
      ...statements,
      {
        Sid: 'Everything',
        Effect: 'Allow',
        Action: 'dynamodb:*',
        Resource: { 'Fn::GetAtt': ['Table', 'Arn'] },
      },
    ]),
    found: /PlanBatchRole allows dynamodb:\*/,
  },
  {
    what: 'two statements of one name, which IAM refuses',
    make: restate('PlanBatchRole', (statements) => [...statements, required(statements[0])]),
    found: /PlanBatchRole has statements without a name of their own/,
  },
  {
    what: 'a queue that takes messages from any topic',
    make: (template) => {
      const { PolicyDocument } = z
        .object({ PolicyDocument: z.object({ Statement: z.array(record) }) })
        .parse(resource(template, 'RequestsQueuePolicy').Properties);
      for (const statement of PolicyDocument.Statement)
        if (statement['Effect'] === 'Allow') Reflect.deleteProperty(statement, 'Condition');
      resource(template, 'RequestsQueuePolicy').Properties['PolicyDocument'] = PolicyDocument;
    },
    found: /RequestsQueuePolicy lets .*sns.* in for whomever it likes/,
  },
  {
    what: 'a queue that answers without TLS',
    make: (template) => {
      Reflect.deleteProperty(template.Resources, 'ScaleQueuePolicy');
    },
    found: /ScaleQueue answers without TLS/,
  },
  {
    what: 'two resources that wait for each other',
    make: (template) => {
      resource(template, 'ManifestsTopicPolicy').DependsOn = ['ManifestsBucket'];
    },
    found: /ManifestsTopicPolicy → ManifestsBucket|ManifestsBucket → ManifestsTopicPolicy/,
  },
  {
    what: 'a property that AWS does not know',
    make: set('PlanQueue', 'VisibiltyTimeout', 60),
    found: /PlanQueue.*VisibiltyTimeout/,
  },
  {
    what: 'a property of another type',
    make: set('Table', 'StreamSpecification', 'NEW_IMAGE'),
    found: /Table.*StreamSpecification/,
  },
  {
    what: 'a resource without what AWS wants of it',
    make: set('PlanBatchLambdaFunction', 'Code', undefined),
    found: /PlanBatchLambdaFunction has no Code/,
  },
];
