const stageName = 'local';

/** What CloudWatch publishes when the alarm on a host's replication lag changes. */
export function alarmOfLag(host: string, state: 'ALARM' | 'OK') {
  const AlarmName = `drayage-${stageName}-scale-lag-host-${host}`;
  return {
    AlarmName,
    AlarmArn: `arn:aws:cloudwatch:eu-central-1:000000000000:alarm:${AlarmName}`,
    AWSAccountId: '000000000000',
    NewStateValue: state,
    OldStateValue: state === 'OK' ? 'ALARM' : 'OK',
    NewStateReason: 'Threshold Crossed',
    StateChangeTime: new Date().toISOString().replace('Z', '+0000'),
    Region: 'EU (Frankfurt)',
    Trigger: {
      MetricName: 'ReplicationLagMs',
      Namespace: 'Drayage',
      Dimensions: [
        { name: 'service', value: 'drayage' },
        { name: 'stage', value: stageName },
        { name: 'host', value: host },
      ],
    },
  };
}
