// One page of CloudWatch for a stage: what moves, what waits, what hurts.
const { figures, functions, indexes, queues } = require('./watched.cjs');

const columns = 24;
const height = 6;

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.page = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const limits = Object.fromEntries(
    await Promise.all(
      figures.map(async ({ name, limit, least }) => [
        name,
        least ?? (typeof limit === 'string' ? Number(await resolveVariable(`param:${limit}`)) : limit),
      ]),
    ),
  );
  const all = { service: 'drayage', stage };
  const ours = (metric, statistic, of = {}, label = metric) => [
    'Drayage',
    metric,
    ...Object.entries({ ...all, ...of }).flat(),
    { stat: statistic, label },
  ];
  const theirs = (namespace, metric, statistic, of, label) => [
    namespace,
    metric,
    ...Object.entries(of).flat(),
    { stat: statistic, label },
  ];
  /** Every series of a metric of ours by these dimensions, as many as there are. */
  const each = (metric, statistic, by, where = '') => [
    {
      expression: `SEARCH('{Drayage,service,stage,${by.join(',')}} MetricName="${metric}" stage="${stage}"${where}', '${statistic}')`,
      label: `\${PROP('Dim.${by.at(-1)}')}`,
    },
  ];
  const called = (name) => `drayage-${stage}-${name}`;
  const ofFunctions = (metric, statistic) =>
    functions.map((name) => theirs('AWS/Lambda', metric, statistic, { FunctionName: called(name) }, name));
  const ofQueues = (metric, suffix = '') =>
    queues.map((name) =>
      theirs('AWS/SQS', metric, 'Maximum', { QueueName: `${called(name)}${suffix}` }, name),
    );
  const throttles = (kind) =>
    [undefined, ...indexes].map((index) =>
      theirs(
        'AWS/DynamoDB',
        `${kind}ThrottleEvents`,
        'Sum',
        {
          TableName: `drayage-${stage}`,
          ...(index === undefined ? {} : { GlobalSecondaryIndexName: index }),
        },
        `${kind.toLowerCase()}s of ${index ?? 'the table'}`,
      ),
    );

  /** @param watched the alarm whose threshold is drawn */
  const chart = (named, metrics, watched) => ({
    type: 'metric',
    properties: {
      title: named,
      metrics,
      region: '${AWS::Region}',
      period: 60,
      view: 'timeSeries',
      yAxis: { left: { min: 0 } },
      ...(watched === undefined
        ? {}
        : { annotations: { horizontal: [{ label: watched, value: limits[watched] }] } }),
    },
  });

  const rows = [
    [
      chart('Moves that ended', [
        ...['moved', 'retired', 'rolled-back', 'stuck'].map((outcome) =>
          ours('MovesEnded', 'Sum', { outcome }, outcome),
        ),
        ours('BatchesCompleted', 'Sum', {}, 'batches completed'),
      ]),
      chart('Moves that wait, and those let go', [
        ours('MovesWaiting', 'Maximum', {}, 'wait for permits'),
        ours('MovesAdmitted', 'Sum', {}, 'let go'),
      ]),
      chart(
        'How long the oldest has waited (ms)',
        [
          ours('OldestAdmissibleMs', 'Maximum', {}, 'for permits'),
          ours('LongestSilenceMs', 'Maximum', {}, 'for a worker'),
        ],
        'standstill',
      ),
    ],
    [
      chart('Pauses of writers (ms)', [
        ours('WriterPauseMs', 'p50', {}, 'median'),
        ours('WriterPauseMs', 'p99', {}, 'p99'),
        ours('WriterPauseMs', 'Maximum', {}, 'longest'),
      ]),
      chart('What went wrong', [
        ours('PausesOverBudget', 'Sum', {}, 'pauses over budget'),
        ours('RollbacksBegun', 'Sum', {}, 'moves that turned round'),
        ours('MovesQuarantined', 'Sum', {}, 'moves set aside'),
        ours('TakeOvers', 'Sum', {}, 'workers taken over'),
      ]),
      chart('Replication lag by target (ms)', [each('ReplicationLagMs', 'Maximum', ['host'])]),
    ],
    [
      chart('Steps: median (ms)', [
        each('StepMs', 'p50', ['workflow', 'outcome', 'step'], ' outcome="done"'),
      ]),
      chart('Calls of steps, by how they ended', [
        ...['waited', 'handed-over', 'retried', 'hindered', 'retreated', 'gave-up', 'undone'].map(
          (outcome) => [
            {
              expression: `SUM(SEARCH('{Drayage,service,stage,workflow,step,outcome} MetricName="StepMs" stage="${stage}" outcome="${outcome}"', 'SampleCount'))`,
              label: outcome,
            },
          ],
        ),
      ]),
      chart('Work that was due until a worker took it up (ms)', [
        ours('QueueWaitMs', 'p50', {}, 'median'),
        ours('QueueWaitMs', 'p99', {}, 'p99'),
        each('QueueWaitMs', 'Maximum', ['phase']),
      ]),
    ],
    [
      chart('Hosts', [
        ...['active', 'cordoned', 'draining', 'strained', 'failed'].map((state) =>
          ours('Hosts', 'Maximum', { state }, state),
        ),
      ]),
      chart('Permits', [
        ...['out', 'in'].flatMap((side) => [
          ours('Permits', 'Maximum', { side }, `allowed ${side}`),
          ours('PermitsInUse', 'Maximum', { side }, `in use ${side}`),
        ]),
      ]),
      chart(
        'WAL that hosts keep for slots of ours (bytes)',
        [ours('RetainedWalBytes', 'Maximum', {}, 'most'), each('RetainedWalBytes', 'Maximum', ['host'])],
        'retained-wal',
      ),
    ],
    [
      chart('Age of the oldest message (s)', ofQueues('ApproximateAgeOfOldestMessage')),
      chart('Dead letters', [
        ...ofQueues('ApproximateNumberOfMessagesVisible', '-dead'),
        theirs(
          'AWS/SQS',
          'ApproximateNumberOfMessagesVisible',
          'Maximum',
          { QueueName: called('relay-failures') },
          'relay',
        ),
      ]),
      chart(
        'Messages on which functions failed',
        [each('RecordsFailed', 'Sum', ['function'])],
        'records-failed',
      ),
    ],
    [
      chart('Functions that failed', ofFunctions('Errors', 'Sum')),
      chart('Functions that were refused executions', ofFunctions('Throttles', 'Sum')),
      chart('Executions at once', ofFunctions('ConcurrentExecutions', 'Maximum')),
    ],
    [
      chart('Age of the changes that the relay gets (ms)', [
        theirs('AWS/Lambda', 'IteratorAge', 'Maximum', { FunctionName: called('relay-changes') }, 'oldest'),
      ]),
      chart('Refused by the table', [...throttles('Write'), ...throttles('Read')]),
      chart('Sweeps that came to their end', [
        ...['rows', 'hosts', 'host'].map((sweep) => ours('SweepRuns', 'Sum', { sweep }, sweep)),
        ours('RowsSwept', 'Sum', {}, 'rows that nobody else had noticed'),
        ours('OrphansRemoved', 'Sum', {}, 'orphans removed'),
      ]),
    ],
  ];

  const width = columns / 3;
  const widgets = rows.flatMap((row, nth) =>
    row.map((widget, index) => ({ x: index * width, y: nth * height, width, height, ...widget })),
  );
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          DashboardName: `drayage-${stage}`,
          DashboardBody: {
            'Fn::Sub': JSON.stringify({ start: '-PT3H', widgets }).replaceAll('${PROP', '${!PROP'),
          },
        },
      },
    },
  };
};
