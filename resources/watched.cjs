// What is watched of a stage: the alarms of people on duty (duty-alarms.cjs) and the dashboard (dashboard.cjs) are made of it.

/** By the last part of their names; in the order of serverless.yml. */
const functions = [
  'accept-request',
  'react-to-host-change',
  'ingest-manifest',
  'plan-batch',
  'dispatch-moves',
  'transfer-endpoint',
  'cut-over-endpoint',
  'retire-source',
  'roll-back-move',
  'scale-workers',
  'relay-changes',
  'sweep-rows',
  'sweep-hosts',
  'sweep-host',
  'explain',
];

/** Likewise, in the order of queues.yml: those that functions work on. */
const queues = [
  'requests',
  'host-changes',
  'manifests',
  'plan',
  'dispatch',
  'transfer',
  'cutover',
  'retire',
  'rollback',
  'host-sweep',
  'scale',
];

/** In the order of table.yml. */
const indexes = ['byHost', 'byKind', 'byBatch', 'byTime', 'byDue', 'byWaiting'];

/**
 * Figures of ours on which people are woken in every stage.
 * `limit`: a number, or the parameter of the stage that has it. `section`: of docs/runbook.md.
 */
const figures = [
  {
    name: 'stuck',
    metric: 'MovesEnded',
    of: { outcome: 'stuck' },
    statistic: 'Sum',
    periodS: 300,
    limit: 0,
    says: 'A move can go neither on nor back by itself',
    section: 'a-move-is-stuck',
  },
  {
    name: 'standstill',
    metric: 'LongestSilenceMs',
    statistic: 'Maximum',
    periodS: 300,
    periods: 2,
    limit: 'alarmSilenceMs',
    says: 'A move is due, and no worker takes notice of it',
    section: 'moves-stand-still',
  },
  {
    name: 'pause-over-budget',
    metric: 'PausesOverBudget',
    statistic: 'Sum',
    periodS: 300,
    limit: 0,
    says: 'Writers waited longer in a cutover than was allowed',
    section: 'a-pause-was-longer-than-allowed',
  },
  {
    name: 'records-failed',
    metric: 'RecordsFailed',
    statistic: 'Sum',
    periodS: 300,
    limit: 'alarmRecordsFailed',
    says: 'Functions fail on many messages, which come again',
    section: 'functions-fail',
  },
  {
    name: 'retained-wal',
    metric: 'RetainedWalBytes',
    statistic: 'Maximum',
    periodS: 900,
    limit: 'alarmRetainedBytes',
    says: 'A host keeps much of its log for a replication slot of ours',
    section: 'a-slot-keeps-wal',
  },
  {
    name: 'sweep-rows-missing',
    metric: 'SweepRuns',
    of: { sweep: 'rows' },
    statistic: 'Sum',
    periodS: 300,
    periods: 2,
    least: 1,
    says: 'The sweep of rows does not come to its end',
    section: 'the-sweep-of-rows-does-not-run',
  },
  {
    name: 'sweep-hosts-missing',
    metric: 'SweepRuns',
    of: { sweep: 'hosts' },
    statistic: 'Sum',
    periodS: 1_800,
    least: 1,
    says: 'Hosts are not looked over',
    section: 'the-sweep-of-hosts-does-not-run',
  },
];

/** `sweep-rows` → `SweepRows` */
const title = (name) => name.replace(/(?:^|-)([a-z])/g, (_, letter) => letter.toUpperCase());

module.exports = { functions, queues, indexes, figures, title };
