/** What CloudWatch publishes to SNS when an alarm on one metric changes its state, as AWS documents it. */
export function alarmNotification(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    AlarmName: 'h1-failed',
    AlarmDescription: null,
    AWSAccountId: '123456789012',
    AlarmConfigurationUpdatedTimestamp: '2026-11-20T10:00:00.000+0000',
    NewStateValue: 'ALARM',
    NewStateReason: 'Threshold Crossed: 3 datapoints were less than the threshold (1.0).',
    StateChangeTime: '2026-11-21T08:59:00.123+0000',
    Region: 'EU (Frankfurt)',
    AlarmArn: 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:h1-failed',
    OldStateValue: 'OK',
    OKActions: [],
    AlarmActions: ['arn:aws:sns:eu-central-1:123456789012:host-changes'],
    InsufficientDataActions: [],
    Trigger: {
      MetricName: 'Alive',
      Namespace: 'Hosts',
      StatisticType: 'Statistic',
      Statistic: 'AVERAGE',
      Unit: null,
      Dimensions: [{ value: 'h1', name: 'Host' }],
      Period: 60,
      EvaluationPeriods: 3,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1.0,
      TreatMissingData: 'breaching',
    },
    ...change,
  };
}
