import * as z from 'zod';

/** The resources of a packaged template, by their logical names. */
export type Resources = Readonly<
  Record<string, { readonly Type: string; readonly Properties: Readonly<Record<string, unknown>> }>
>;

const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform(({ 'Fn::GetAtt': [id] }) => id),
]);
const some = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);
const grant = z.object({ Effect: z.literal('Allow'), Action: some, Resource: some });

const subscription = z.object({ TopicArn: reference, Protocol: z.string(), Endpoint: z.unknown() });
const mapping = z.object({ EventSourceArn: reference, FunctionName: reference });
const rule = z.object({ ScheduleExpression: z.string(), Targets: z.array(z.object({ Arn: reference })) });
const alarm = z.object({ AlarmActions: z.array(reference) });
const bucket = z.object({
  NotificationConfiguration: z.object({ TopicConfigurations: z.array(z.object({ Topic: reference })) }),
});
const worker = z.object({ Role: reference });
const policy = z.object({ PolicyDocument: z.object({ Statement: z.array(z.unknown()) }) });
const role = z.object({
  // What is granted under a condition (a network, a key of the customer's) sends nothing.
  Policies: z.array(z.unknown()),
});
const letters = z.object({ RedrivePolicy: z.object({ deadLetterTargetArn: reference }) });

/** What is drawn, by its type in the template: the word below its name, and its shape. */
const kinds: Readonly<
  Record<string, { readonly word: string; readonly ending: RegExp; readonly look: string }>
> = {
  'AWS::SNS::Topic': { word: 'topic', ending: /Topic$/, look: 'shape=hexagon fillcolor="#f3e8ff"' },
  'AWS::SQS::Queue': {
    word: 'queue',
    ending: /Queue$/,
    look: 'shape=box style="filled,rounded" fillcolor="#e0f2fe"',
  },
  'AWS::Lambda::Function': {
    word: 'function',
    ending: /LambdaFunction$/,
    look: 'shape=box fillcolor="#dcfce7" penwidth=1.6',
  },
  'AWS::DynamoDB::Table': { word: 'every row', ending: /$/, look: 'shape=cylinder fillcolor="#fef9c3"' },
  'AWS::S3::Bucket': { word: 'bucket', ending: /Bucket$/, look: 'shape=folder fillcolor="#fef9c3"' },
  'AWS::ApiGateway::RestApi': { word: 'status API', ending: /$/, look: 'shape=box fillcolor="#fee2e2"' },
  'AWS::CloudWatch::Alarm': { word: 'alarm', ending: /Alarm$/, look: 'shape=octagon fillcolor="#fee2e2"' },
};

interface Edge {
  readonly from: string;
  readonly to: string;
  /** It only finds what was lost: drawn faintly. */
  readonly isSweep?: boolean;
}

/**
 * The pipeline in Graphviz's language, read off a packaged template: what wakes each function, and what its role lets
 * it send to. What everything does (reading and writing rows), and where dead letters lie, is left out.
 */
export function pipelineOf(resources: Resources): string {
  const edges = edgesOf(resources).toSorted((one, other) =>
    `${one.from} ${one.to}` < `${other.from} ${other.to}` ? -1 : 1,
  );
  const drawn = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = Object.entries(resources)
    .flatMap(([id, { Type }]) => (drawn.has(id) ? [nodeOf(id, Type, resources)] : []))
    .sort();
  const schedules = [...drawn].filter((id) => id.startsWith('rate(')).sort();
  return [
    'digraph pipeline {',
    '  graph [bgcolor=white pad=0.2 nodesep=0.2 ranksep=0.42]',
    '  node [fontname="Helvetica,Arial,sans-serif" fontsize=12 style=filled color="#334155" height=0.4 margin="0.2,0.06"]',
    '  edge [color="#334155" arrowsize=0.7]',
    ...nodes,
    ...schedules.map((id) => `  "${id}" [label="${id}" shape=none style=""]`),
    ...edges.map(
      ({ from, to, isSweep = false }) =>
        `  "${from}" -> "${to}"${isSweep ? ' [style=dashed color="#94a3b8" constraint=false]' : ''}`,
    ),
    '}',
  ].join('\n');
}

function edgesOf(resources: Resources): Edge[] {
  const found = new Map<string, Edge>();
  const add = (edge: Edge): void => void found.set(`${edge.from} ${edge.to}`, edge);
  const sweeps = new Set<string>();
  const all = <T>(type: string, schema: z.ZodType<T>): (readonly [string, T])[] =>
    Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
      const read = Type === type ? schema.safeParse(Properties) : undefined;
      return read?.success === true ? [[id, read.data] as const] : [];
    });

  const queued = all('AWS::SNS::Subscription', subscription).filter(([, { Protocol }]) => Protocol === 'sqs');
  for (const [, { TopicArn, Endpoint }] of queued) add({ from: TopicArn, to: reference.parse(Endpoint) });
  for (const [, { EventSourceArn, FunctionName }] of all('AWS::Lambda::EventSourceMapping', mapping))
    add({ from: EventSourceArn, to: FunctionName });
  for (const [, { ScheduleExpression, Targets }] of all('AWS::Events::Rule', rule)) {
    for (const { Arn } of Targets) {
      sweeps.add(Arn);
      add({ from: ScheduleExpression, to: Arn });
    }
  }
  for (const [id, { AlarmActions }] of all('AWS::CloudWatch::Alarm', alarm))
    for (const topic of AlarmActions)
      // Others tell people.
      if (queued.some(([, { TopicArn }]) => TopicArn === topic)) add({ from: id, to: topic });
  for (const [id, { NotificationConfiguration }] of all('AWS::S3::Bucket', bucket))
    for (const { Topic } of NotificationConfiguration.TopicConfigurations) add({ from: id, to: Topic });

  const roles = new Map(all('AWS::IAM::Role', role));
  const dead = deadQueues(resources);
  for (const [id, { Role }] of all('AWS::Lambda::Function', worker))
    for (const to of allowed(roles.get(Role), sending))
      if (!dead.has(to)) add({ from: id, to, ...(sweeps.has(id) ? { isSweep: true } : {}) });
  for (const [id] of all('AWS::ApiGateway::RestApi', z.object({})))
    for (const to of allowed(roles.get('ApiRole'), ofApi)) add({ from: id, to });
  return [...found.values()];
}

const sending: readonly unknown[] = ['sqs:SendMessage', 'sns:Publish'];
/** It writes rows itself, and has one function. */
const ofApi: readonly unknown[] = ['dynamodb:UpdateItem', 'lambda:InvokeFunction'];

/** To what a role may do one of some things. */
function allowed(of: z.output<typeof role> | undefined, actions: readonly unknown[]): string[] {
  return (of?.Policies ?? [])
    .flatMap((one) => policy.safeParse(one).data?.PolicyDocument.Statement ?? [])
    .flatMap((one) => grant.safeParse(one).data ?? [])
    .filter(({ Action }) => Action.some((one) => actions.includes(one)))
    .flatMap(({ Resource }) => Resource.map((one) => reference.parse(one)));
}

/** Where what could not be digested is set aside: nothing goes on from there. */
function deadQueues(resources: Resources): ReadonlySet<string> {
  const read = new Set(
    Object.values(resources).flatMap(
      ({ Properties }) => mapping.safeParse(Properties).data?.EventSourceArn ?? [],
    ),
  );
  return new Set(
    Object.entries(resources).flatMap(([id, { Type }]) =>
      Type === 'AWS::SQS::Queue' && !read.has(id) ? [id] : [],
    ),
  );
}

function nodeOf(id: string, type: string, resources: Resources): string {
  const { word, ending, look } = kinds[type] ?? { word: type, ending: /$/, look: '' };
  const name = id
    .replace(ending, '')
    .replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
  // A second frame: what it cannot deliver is set aside, and kept.
  const isKept = letters.safeParse(resources[id]?.Properties).success;
  return `  "${id}" [label="${name}\\n${word}" ${look}${isKept ? ' peripheries=2' : ''}]`;
}
