// The alarms of single hosts and zones: as many as the stage's `alarmedHosts` and `alarmedZones` name.

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.ofTargets = async ({ resolveVariable }) => {
  const [stage, hosts, zones, period, waitMs, lagMs, latencyMs] = await Promise.all(
    [
      'sls:stage',
      'param:alarmedHosts',
      'param:alarmedZones',
      'param:alarmPeriodS',
      'param:alarmWaitMs',
      'param:alarmLagMs',
      'param:alarmLatencyMs',
    ].map((name) => resolveVariable(name)),
  );
  const alarm = (signal, metric, threshold, kind, name, periods) => ({
    [`Scale${title(signal)}${title(kind)}${logical(name)}Alarm`]: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: `drayage-${stage}-scale-${signal}-${kind}-${name}`,
        AlarmDescription: `${said[signal]} (${kind} ${name}); docs/runbook.md#scale-${signal}-${kind}`,
        Namespace: 'Drayage',
        MetricName: metric,
        Dimensions: [
          { Name: 'service', Value: 'drayage' },
          { Name: 'stage', Value: stage },
          { Name: kind, Value: name },
        ],
        Statistic: 'Maximum',
        Period: Number(period),
        EvaluationPeriods: periods,
        Threshold: Number(threshold),
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        AlarmActions: [{ Ref: 'ScaleTopic' }],
        OKActions: [{ Ref: 'ScaleTopic' }],
      },
    },
  });
  const ofHost = (name) => ({
    ...alarm('wait', 'OldestAdmissibleMs', waitMs, 'host', name, 1),
    ...alarm('lag', 'ReplicationLagMs', lagMs, 'host', name, 2),
    ...alarm('latency', 'HostLatencyMs', latencyMs, 'host', name, 2),
  });
  const ofZone = (name) => alarm('wait', 'OldestAdmissibleMs', waitMs, 'zone', name, 1);
  return { Resources: Object.assign({}, ...names(hosts).map(ofHost), ...names(zones).map(ofZone)) };
};

const said = {
  wait: 'A move that could go has waited too long for permits',
  lag: 'Changes are applied too late',
  latency: 'A question that asks nothing takes too long',
};

const names = (list) =>
  String(list)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const title = (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** Letters and digits only, and different for names that differ in what is neither. */
const logical = (name) =>
  [...name]
    .map((each) => (/[A-Za-z0-9]/.test(each) ? each : `x${each.codePointAt(0).toString(16)}x`))
    .join('');
