/** How a figure is to be read: it adds to a sum; it stands until the next one; it is one of many. */
export type MetricKind = 'count' | 'level' | 'spread';

interface Meaning {
  readonly kind: MetricKind;
  /** What it tells, in a sentence. */
  readonly says: string;
}

/** Every figure there is. Their names end in their unit (`Ms`, `Bytes`); the others are numbers of something. */
export const metrics = {
  StepMs: { kind: 'spread', says: 'work on one call of a step, by how it ended' },
  QueueWaitMs: { kind: 'spread', says: 'from when a piece of work was due until a worker took it up' },
  TakeOvers: { kind: 'count', says: 'workers that fell silent, and were taken over' },
  RecordsHandled: { kind: 'count', says: 'messages and changes that a function was done with' },
  RecordsFailed: { kind: 'count', says: 'messages on which a function failed, each time' },
  RecordsRefused: { kind: 'count', says: 'messages and rows that this release cannot read' },
  RecordsSetAside: { kind: 'count', says: 'messages that became dead letters' },
  MovesWaiting: { kind: 'level', says: 'moves that wait for nothing but permits' },
  MovesAdmitted: { kind: 'count', says: 'moves that were let go' },
  OldestAdmissibleMs: {
    kind: 'level',
    says: 'how long the move that has waited longest for nothing but permits has waited',
  },
  MovesEnded: { kind: 'count', says: 'moves that arrived, were retired, were rolled back or got stuck' },
  RollbacksBegun: { kind: 'count', says: 'moves that turned round' },
  MovesQuarantined: { kind: 'count', says: 'moves set aside because the same would come again' },
  BatchesCompleted: { kind: 'count', says: 'batches in which nothing was left to do' },
  ReplicationLagMs: { kind: 'level', says: 'how far a target lies behind what is written on the source' },
  HostLatencyMs: {
    kind: 'spread',
    says: 'how long a host takes for a question that asks nothing of it',
  },
  WriterPauseMs: { kind: 'spread', says: 'how long writers of an endpoint waited in its cutover' },
  PausesOverBudget: { kind: 'count', says: 'cutovers in which writers waited longer than was allowed' },
  SweepRuns: { kind: 'count', says: 'sweeps that came to their end' },
  RowsSwept: { kind: 'count', says: 'rows that were due, and of which nobody else took notice' },
  LongestSilenceMs: {
    kind: 'level',
    says: 'how long the move of which nobody has taken notice for longest has been due; without retirements',
  },
  Permits: { kind: 'level', says: 'moves that all hosts together allow, on each side' },
  PermitsInUse: { kind: 'level', says: 'permits that moves hold' },
  Hosts: { kind: 'level', says: 'hosts, by how they are and what is wanted of them' },
  OrphansRemoved: { kind: 'count', says: 'things that ended moves had left on hosts' },
  RetainedWalBytes: {
    kind: 'level',
    says: 'what a host keeps for the one of our replication slots that is furthest behind',
  },
  ScaleSignalsRefused: { kind: 'count', says: 'news of alarms that was not listened to' },
  ScaleDecisions: { kind: 'count', says: 'changes of how many moves are allowed' },
} as const satisfies Readonly<Record<string, Meaning>>;

export type Metric = keyof typeof metrics;

/** What a figure can be told apart by. Each has few values: whoever keeps figures is paid for each series. */
export type Dimension =
  | 'code'
  | 'function'
  | 'host'
  | 'outcome'
  | 'phase'
  | 'side'
  | 'state'
  | 'step'
  | 'sweep'
  | 'workflow'
  | 'zone';

/** What a figure is of; of the whole installation, if nothing is said. */
export type Measured = Readonly<Partial<Record<Dimension, string>>>;

/** Figures for people and alarms: never asked when something is decided, and never in the way. */
export interface Meter {
  /** @param of it counts in the series of each; without any, in that of the whole installation */
  note(metric: Metric, value: number, ...of: readonly Measured[]): void;
}
