// An alarm on every queue of what nobody could work on: one letter is enough.

const { queues: watched, title } = require('./watched.cjs');

/** In the order of resources/queues.yml. */
const queues = [...watched.map((name) => `${title(name)}DeadQueue`), 'RelayFailuresQueue'];

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.alarms = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const alarm = (queue) => ({
    [`${queue.replace(/Queue$/, '')}Alarm`]: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `drayage-${stage}-${nameOf(queue)}`,
        AlarmDescription: `Messages that nobody could work on: dray dead-letters list says why; docs/runbook.md#${nameOf(queue)}`,
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
        Statistic: 'Maximum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        AlarmActions: [{ Ref: 'AlarmsTopic' }],
        OKActions: [{ Ref: 'AlarmsTopic' }],
      },
    },
  });
  return { Resources: Object.assign({}, ...queues.map(alarm)) };
};

/** What the alarm is called within its stage, and its section in the runbook. */
const nameOf = (queue) =>
  queue
    .replace(/Queue$/, '')
    .replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
