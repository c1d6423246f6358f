import * as z from 'zod';
import { apiCaller } from '../../local/api/table-caller.ts';
import type { NotedCall } from '../../local/servers/call-log.ts';
import { ACCOUNT_ID, createStack, type Stack } from '../../local/template/stack.ts';
import type { Template } from '../../local/template/template.ts';

/** One action on one resource, as a statement of a role allows it. */
export interface Grant {
  readonly sid: string;
  readonly action: string;
  readonly resource: string;
  readonly condition?: unknown;
}

/** A role as it is packaged, with everything resolved. */
export interface StageRole {
  readonly name: string;
  /** Who works under it: a function by its logical id, or the API. */
  readonly caller: string;
  readonly grants: readonly Grant[];
  /** What Lambda or API Gateway themselves do under it, before anybody's code has a say. */
  readonly platformCalls: readonly NotedCall[];
}

const one = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
const texts = z.union([z.string(), z.array(z.string())]).transform((value) => one(value));
const roleProperties = z.object({
  Policies: z.array(
    z.object({
      PolicyDocument: z.object({
        Statement: z.array(
          z.object({
            Sid: z.string(),
            Effect: z.enum(['Allow', 'Deny']),
            Action: texts,
            Resource: texts,
            Condition: z.unknown().optional(),
          }),
        ),
      }),
    }),
  ),
});
const functionProperties = z.object({ FunctionName: z.string(), Role: z.string() });
const mappingProperties = z.object({
  FunctionName: z.string(),
  EventSourceArn: z.string(),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }) }).optional(),
});

/** The roles of functions and of the API in a packaged template, resolved as the embedded cloud resolves it. */
export function stageRoles(template: Template, region: string, stackName: string): readonly StageRole[] {
  const stack = createStack({ template, region, stackName, queueEndpoint: 'http://127.0.0.1:9' });
  for (const { logicalId } of stack.ofType('AWS::DynamoDB::Table'))
    stack.learn(logicalId, 'StreamArn', `${stack.arn(logicalId)}/stream/2026-01-01T00:00:00.000`);

  const callers = new Map([['ApiRole', apiCaller]]);
  for (const { logicalId, properties } of stack.ofType('AWS::Lambda::Function')) {
    const role = stack.find('AWS::IAM::Role', functionProperties.parse(properties).Role);
    if (role !== undefined) callers.set(role, logicalId);
  }
  return stack.ofType('AWS::IAM::Role').flatMap(({ logicalId, properties }) => {
    const caller = callers.get(logicalId);
    // A role that nobody works under would be a mistake of its own: the packaged template's tests find it.
    if (caller === undefined) return [];
    return [
      {
        name: logicalId,
        caller,
        grants: grantsOf(properties),
        platformCalls: caller === apiCaller ? gatewayCalls(stack) : platformCalls(stack, caller),
      },
    ];
  });
}

function grantsOf(properties: unknown): Grant[] {
  return roleProperties.parse(properties).Policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(
      ({ Sid, Action, Resource, Condition }) =>
        Action.flatMap((action) =>
          Resource.map((resource) => ({
            sid: Sid,
            action,
            resource,
            ...(Condition === undefined ? {} : { condition: Condition }),
          })),
        ),
    ),
  );
}

/** Functions that the API's document has called; what it asks of the table is noted. */
function gatewayCalls(stack: Stack): NotedCall[] {
  return stack
    .ofType('AWS::ApiGateway::RestApi')
    .flatMap(({ properties }) => [
      ...JSON.stringify(properties['Body']).matchAll(/:lambda:path\/2015-03-31\/functions\/([^/"]+)\//g),
    ])
    .map(([, resource = '']) => ({ caller: apiCaller, action: 'lambda:InvokeFunction', resource }));
}

/** What AWS documents that Lambda asks for in a function's name: its event sources' messages and its own logs. */
function platformCalls(stack: Stack, caller: string): NotedCall[] {
  const call = (action: string, resource: string): NotedCall => ({ caller, action, resource });
  const name = stack.ref(caller);
  const logStream = `arn:aws:logs:${stack.region}:${ACCOUNT_ID}:log-group:/aws/lambda/${name}:log-stream:2026/01/01/[$LATEST]0`;
  const ofSource = (source: string): NotedCall[] =>
    source.includes(':sqs:')
      ? ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) =>
          call(`sqs:${action}`, source),
        )
      : [
          ...['DescribeStream', 'GetRecords', 'GetShardIterator'].map((action) =>
            call(`dynamodb:${action}`, source),
          ),
          call('dynamodb:ListStreams', '*'),
        ];
  const ofMappings = stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .map(({ properties }) => mappingProperties.parse(properties))
    .filter(({ FunctionName }) => stack.find('AWS::Lambda::Function', FunctionName) === caller)
    .flatMap(({ EventSourceArn, DestinationConfig }) => [
      ...ofSource(EventSourceArn),
      ...(DestinationConfig === undefined
        ? []
        : [call('sqs:SendMessage', DestinationConfig.OnFailure.Destination)]),
    ]);
  return [...ofMappings, call('logs:CreateLogStream', logStream), call('logs:PutLogEvents', logStream)];
}
