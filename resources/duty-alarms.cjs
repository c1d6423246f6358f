// What wakes people on duty, beside dead letters (dead-letter-alarms.cjs). Thresholds are in stages.yml; a stage whose
// `alarmScope` is `own` has those on our own figures only.
const { figures, functions, indexes, queues, title } = require('./watched.cjs');

/** A function that has failed less often than this in a period has not failed by a rate. */
const fewErrors = 3;

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.alarms = async ({ resolveVariable }) => {
  const param = async (name) => Number(await resolveVariable(`param:${name}`));
  const [stage, scope, errorPercent, streamAgeMs, queueAgeS] = await Promise.all([
    resolveVariable('sls:stage'),
    resolveVariable('param:alarmScope'),
    param('alarmErrorPercent'),
    param('alarmStreamAgeMs'),
    param('alarmQueueAgeS'),
  ]);

  const alarm = (name, says, section, properties) => ({
    [`${title(name)}Alarm`]: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `drayage-${stage}-${name}`,
        AlarmDescription: `${says}; docs/runbook.md#${section}`,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        ...properties,
        AlarmActions: [{ Ref: 'AlarmsTopic' }],
        OKActions: [{ Ref: 'AlarmsTopic' }],
      },
    },
  });

  const ofFigure = async ({
    name,
    metric,
    of = {},
    statistic,
    periodS,
    periods = 1,
    limit,
    least,
    says,
    section,
  }) =>
    alarm(name, says, section, {
      Namespace: 'Drayage',
      MetricName: metric,
      Dimensions: dimensions({ service: 'drayage', stage, ...of }),
      Statistic: statistic,
      Period: periodS,
      EvaluationPeriods: periods,
      ...(least === undefined
        ? { Threshold: typeof limit === 'string' ? await param(limit) : limit }
        : // Of what does not happen nothing is told.
          { Threshold: least, ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' }),
    });

  const errors = (name) =>
    alarm(`errors-${name}`, `${name} fails`, 'functions-fail', {
      Metrics: [
        {
          Id: 'rate',
          Label: 'Calls that failed, in percent',
          Expression: `IF(failed >= ${fewErrors}, 100 * failed / called, 0)`,
        },
        stat('failed', 'AWS/Lambda', 'Errors', { FunctionName: functionOf(name) }, 300),
        stat('called', 'AWS/Lambda', 'Invocations', { FunctionName: functionOf(name) }, 300),
      ],
      EvaluationPeriods: 2,
      Threshold: errorPercent,
    });

  const throttles = (name) =>
    alarm(`throttles-${name}`, `${name} is refused executions`, 'functions-are-throttled', {
      Namespace: 'AWS/Lambda',
      MetricName: 'Throttles',
      Dimensions: dimensions({ FunctionName: functionOf(name) }),
      Statistic: 'Sum',
      Period: 300,
      // The stream, queues and schedules try again: once is nothing.
      EvaluationPeriods: 3,
      Threshold: 0,
    });

  const queueAge = (name) =>
    alarm(`queue-age-${name}`, `A message has lain long in the queue ${name}`, 'messages-lie-in-a-queue', {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: dimensions({ QueueName: { 'Fn::GetAtt': [`${title(name)}Queue`, 'QueueName'] } }),
      Statistic: 'Maximum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: queueAgeS,
    });

  const tableThrottles = (kind) => {
    const of = (index) => ({
      TableName: { Ref: 'Table' },
      ...(index === undefined ? {} : { GlobalSecondaryIndexName: index }),
    });
    return alarm(`table-throttles-${kind}`, `The table refuses ${kind}s`, 'dynamodb-throttles', {
      Metrics: [
        { Id: 'all', Label: `Refused ${kind}s of the table and its indexes`, Expression: 'SUM(METRICS())' },
        ...[undefined, ...indexes].map((index) =>
          stat(index ?? 'table', 'AWS/DynamoDB', `${title(kind)}ThrottleEvents`, of(index), 300),
        ),
      ],
      EvaluationPeriods: 2,
      Threshold: 0,
    });
  };

  const stream = alarm(
    'stream-age',
    'Changes of the table are passed on late',
    'the-stream-of-the-table-has-stopped',
    {
      Namespace: 'AWS/Lambda',
      MetricName: 'IteratorAge',
      Dimensions: dimensions({ FunctionName: functionOf('relay-changes') }),
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 3,
      Threshold: streamAgeMs,
    },
  );

  const own = await Promise.all(figures.map(ofFigure));
  const others =
    scope === 'all'
      ? [
          stream,
          tableThrottles('write'),
          tableThrottles('read'),
          ...functions.flatMap((name) => [errors(name), throttles(name)]),
          ...queues.map(queueAge),
        ]
      : [];
  return { Resources: Object.assign({}, ...own, ...others) };
};

const functionOf = (name) => ({ Ref: `${title(name)}LambdaFunction` });

const dimensions = (of) => Object.entries(of).map(([Name, Value]) => ({ Name, Value }));

const stat = (id, namespace, metric, of, periodS) => ({
  Id: id,
  ReturnData: false,
  MetricStat: {
    Metric: { Namespace: namespace, MetricName: metric, Dimensions: dimensions(of) },
    Period: periodS,
    Stat: 'Sum',
  },
});
