import { indexes, type IndexLayout, type IndexName } from './layout.ts';

/** An index with the attributes that it keeps beside its keys and the table's. */
export interface ProjectedIndex extends IndexLayout {
  readonly name: IndexName;
  readonly include: readonly string[];
}

const keeping = (name: IndexName, include: readonly string[]): ProjectedIndex => ({
  name,
  ...indexes[name],
  include,
});

/** What the API lists without a function stands in an index. Who makes the table needs to know, and no function. */
export const projectedIndexes: readonly ProjectedIndex[] = [
  keeping('byHost', ['epoch', 'database', 'driver', 'sizeBytes']),
  keeping('byKind', [
    'driver',
    'zone',
    'clientAddress',
    'capacityBytes',
    'intent',
    'signals',
    'paused',
    'resumed',
    'movesOut',
    'movesIn',
    'throttle',
    'dials',
    'alarms',
    'decisions',
    'queue',
    'receives',
    'failure',
    'at',
  ]),
  keeping('byBatch', ['source', 'target']),
  keeping('byTime', [
    'batch',
    'endpoint',
    'source',
    'target',
    'state',
    'reason',
    'endedAt',
    'deadline',
    'paused',
    'resumed',
    'cancelled',
    'total',
    'count_waiting',
    'count_transferring',
    'count_cutting_over',
    'count_moved',
    'count_retired',
    'count_rolling_back',
    'count_rolled_back',
    'count_stuck',
  ]),
  keeping('byDue', []),
  keeping('byWaiting', ['source', 'target', 'batch']),
];
