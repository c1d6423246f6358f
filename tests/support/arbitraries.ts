import fc, { type Arbitrary } from 'fast-check';
import { jsonField } from '../../shared/contracts/rows/fields.ts';
import type { Batch, ClaimCheck } from '../../shared/domain/batch.ts';
import type { CleanupEntry, CleanupRecord } from '../../shared/domain/cleanup.ts';
import type { Execution, ExecutionState } from '../../shared/domain/execution.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Signal } from '../../shared/domain/health.ts';
import type { CutoverWord, Hold } from '../../shared/domain/pause.ts';
import { knobNames, type Fleet } from '../../shared/domain/fleet.ts';
import type { Host } from '../../shared/domain/host.ts';
import {
  batchId,
  endpointName,
  hostName,
  moveId,
  type BatchId,
  type EndpointName,
  type HostName,
  type MoveId,
} from '../../shared/domain/ids.ts';
import type { Json, JsonObject } from '../../shared/domain/json.ts';
import type { Letter } from '../../shared/domain/letter.ts';
import { moveLabels, type Move } from '../../shared/domain/move.ts';
import type { Notification } from '../../shared/domain/notification.ts';
import type { Pace } from '../../shared/domain/pace.ts';
import type { Arbitration, Placement } from '../../shared/domain/placement.ts';
import type { BatchPolicy, MovePolicy } from '../../shared/domain/policy.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Dials, HeardAlarm, Scaler } from '../../shared/domain/scaling.ts';
import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';
import type { RecordKind, Records } from '../../shared/ports/store.ts';

/** Records of every kind, as wild as their types allow. */
const oneOf = (letters: string): Arbitrary<string> =>
  fc.nat({ max: letters.length - 1 }).map((index) => letters.charAt(index));
const idText = (prefix: string, length: number): Arbitrary<string> =>
  fc
    .array(oneOf('0123456789abcdefghijklmnopqrstuvwxyz'), {
      minLength: length,
      maxLength: length,
    })
    .map((letters) => prefix + letters.join(''));
const nameText = fc
  .tuple(oneOf('aZ09'), fc.array(oneOf('abcXYZ019._-'), { maxLength: 99 }))
  .map(([head, rest]) => head + rest.join(''));

export const anyMoveId: Arbitrary<MoveId> = idText('mv_', 16).map(moveId);
export const anyBatchId: Arbitrary<BatchId> = idText('bt_', 20).map(batchId);
export const anyHostName: Arbitrary<HostName> = nameText.map(hostName);
export const anyEndpointName: Arbitrary<EndpointName> = nameText.map(endpointName);

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const count = fc.maxSafeNat();
const small = fc.nat({ max: 1_000_000 });
const duration = fc.nat({ max: 1_000_000_000 }).map((micros) => micros / 1_000);
const text = fc.string({ unit: 'binary', maxLength: 40 });
const word = fc.stringMatching(/^[a-z][a-z0-9/._-]{0,30}$/);
const version = fc.integer({ min: 1, max: 1_000_000_000 });

export const anyJson: Arbitrary<Json> = fc.json({ maxDepth: 3 }).map((json) => jsonField.parse(json));
const jsonObject: Arbitrary<JsonObject> = fc.dictionary(text, anyJson, { maxKeys: 4, noNullPrototype: true });
const textMap = fc.dictionary(word, text, { maxKeys: 4, noNullPrototype: true });

const hold: Arbitrary<Hold> = fc.record({ by: text, at: time, reason: text });
const cutover: Arbitrary<CutoverWord> = fc.record({
  kind: fc.constantFrom('held', 'released'),
  by: text,
  at: time,
  reason: text,
});
/** What a person may have said of what can be held back. */
const pause = { paused: hold, resumed: hold };
const sayings = ['paused', 'resumed'] as const;

const failure: Arbitrary<Failure> = fc.record(
  { code: text, sentence: text, cure: text, host: text },
  { requiredKeys: ['code', 'sentence', 'cure'] },
);
const claimCheck: Arbitrary<ClaimCheck> = fc.record({ key: text, sha256: text, bytes: count });
const policyFields = {
  roles: fc.constantFrom('require' as const, 'copy' as const),
  pauseBudgetMs: duration,
  lagLimitBytes: count,
  retentionMs: duration,
  offline: fc.constantFrom('refuse' as const, 'allow' as const),
};
const policy: Arbitrary<MovePolicy> = fc.record(policyFields);
const batchPolicy: Arbitrary<BatchPolicy> = fc
  .record({
    ...policyFields,
    approval: fc.constant('required' as const),
    holdBeforeCutover: fc.constant(true as const),
    start: fc.constant('manual' as const),
    startAt: time,
    window: fc.record({ cron: text, durationMs: duration, timeZone: text }),
  })
  .chain((whole) => lacking(whole, ['approval', 'holdBeforeCutover', 'start', 'startAt', 'window']));

const signal: Arbitrary<Signal> = fc.record(
  {
    kind: fc.constantFrom('failed', 'strained'),
    since: time,
    at: time,
    between: fc.array(time, { maxLength: 3 }),
    reason: text,
  },
  { requiredKeys: ['kind', 'since', 'at'], noNullPrototype: true },
);

const host: Arbitrary<Host> = fc
  .record(
    {
      name: anyHostName,
      driver: text,
      url: text,
      replicationAddress: text,
      clientAddress: text,
      secret: text,
      zone: text,
      capacityBytes: count,
      intent: fc.record(
        {
          value: fc.constantFrom('active', 'cordoned', 'draining', 'retired'),
          sequence: count,
          reason: text,
          deadline: time,
        },
        { requiredKeys: ['value', 'sequence', 'reason'] },
      ),
      labels: textMap,
      sequences: fc.record(
        { zone: count, url: count, labels: count },
        { requiredKeys: [], noNullPrototype: true },
      ),
      signals: fc.dictionary(word, signal, { maxKeys: 3, noNullPrototype: true }),
      cleared: fc.dictionary(word, time, { maxKeys: 3, noNullPrototype: true }),
      healing: fc.record({ since: time, at: time, batches: fc.array(anyBatchId, { maxLength: 3 }) }),
      systemIdentifier: text,
      serverVersion: text,
      movesOut: small,
      movesIn: small,
      throttle: fc.record({ out: small, in: small }),
      permitsOut: fc.uniqueArray(anyMoveId, { maxLength: 4 }).map((held) => held.sort()),
      permitsIn: fc.uniqueArray(anyMoveId, { maxLength: 4 }).map((held) => held.sort()),
      reserved: fc.dictionary(anyMoveId, count, { maxKeys: 3, noNullPrototype: true }),
      options: jsonObject,
      ...pause,
      registeredAt: time,
      version,
    },
    { noNullPrototype: true },
  )
  .chain((whole) => lacking(whole, ['secret', 'capacityBytes', 'throttle', 'healing', ...sayings]));

const held = { move: anyMoveId, token: count };
const arbitration: Arbitrary<Arbitration> = fc.oneof(
  fc.record({ kind: fc.constant('serving' as const) }),
  fc.record({ kind: fc.constant('frozen' as const), ...held }),
  fc.record({ kind: fc.constant('thawing' as const), ...held }),
  fc.record({ kind: fc.constant('flipped' as const), ...held, from: anyHostName }),
  fc.record({ kind: fc.constant('opening' as const), ...held, from: anyHostName }),
);
const placement: Arbitrary<Placement> = fc
  .record({
    endpoint: anyEndpointName,
    driver: text,
    host: anyHostName,
    database: text,
    epoch: small,
    arbitration,
    claim: fc.record(
      { move: anyMoveId, firstToken: count, token: count },
      { requiredKeys: ['move', 'firstToken'] },
    ),
    lastMove: anyMoveId,
    claims: small,
    announcedEpoch: small,
    sizeBytes: count,
    labels: textMap,
    group: fc.record({ name: text, spread: fc.constantFrom('hosts' as const, 'zones' as const) }),
    zones: fc.array(text, { maxLength: 3 }),
    pin: anyHostName,
    sequences: fc.record(
      { labels: count, sizeBytes: count, group: count, zones: count, pin: count },
      { requiredKeys: [] },
    ),
    ...pause,
    registeredAt: time,
    version,
  })
  .chain((whole) => lacking(whole, ['claim', 'lastMove', 'group', 'zones', 'pin', 'sequences', ...sayings]));

const batch: Arbitrary<Batch> = fc
  .record({
    id: anyBatchId,
    requestSource: text,
    requestId: text,
    reason: text,
    selection: claimCheck,
    priority: fc.integer(),
    policy: batchPolicy,
    state: fc.constantFrom('planning' as const, 'running' as const, 'completed' as const),
    planned: small,
    total: small,
    resolved: claimCheck,
    plan: claimCheck,
    unmet: failure,
    unknown: fc.record({ count: small, examples: fc.array(anyEndpointName, { maxLength: 3 }) }),
    skipped: fc.record({ lines: small, report: claimCheck }),
    counts: fc.dictionary(fc.constantFrom(...moveLabels), small, { noNullPrototype: true }),
    failure,
    deadline: time,
    ...pause,
    approved: hold,
    started: hold,
    cutover,
    cancelled: hold,
    undone: small,
    reopened: small,
    traceparent: text,
    createdAt: time,
    endedAt: time,
    version,
  })
  .chain((whole) =>
    lacking(whole, [
      'total',
      'resolved',
      'plan',
      'unmet',
      'unknown',
      'skipped',
      'failure',
      'deadline',
      'approved',
      'started',
      'cutover',
      'cancelled',
      'undone',
      'reopened',
      'traceparent',
      'endedAt',
      ...sayings,
    ]),
  );

const waitingOn = fc.record({ code: text, on: text, since: time });
const working = {
  step: fc.constantFrom(...moveEndpointShape.steps.map(({ name }) => name)),
  failures: small,
  idleHandovers: small,
  deaths: small,
  hinderedSince: time,
  dueAt: time,
  lease: fc.record({ owner: text, token: count, until: time }),
  waiting: waitingOn,
  lastFailure: failure,
  progress: anyJson,
  spentMs: duration,
};
const absentWhileWorking = ['hinderedSince', 'lease', 'waiting', 'lastFailure', 'progress'] as const;
const status: Arbitrary<ExecutionState> = fc.oneof(
  fc.record(
    {
      state: fc.constant('waiting' as const),
      waiting: waitingOn,
      dueAt: time,
      putOff: fc.constant(true as const),
      carried: fc.constant(true as const),
    },
    { requiredKeys: ['state', 'waiting', 'dueAt'] },
  ),
  fc
    .record({
      state: fc.constant('running' as const),
      ...working,
      forwardOnly: fc.boolean(),
      retreats: small,
    })
    .chain((whole) => lacking(whole, absentWhileWorking)),
  fc
    .record({ state: fc.constant('rolling-back' as const), ...working, reason: failure })
    .chain((whole) => lacking(whole, absentWhileWorking)),
  fc.record({ state: fc.constant('completed' as const), endedAt: time }),
  fc.record({ state: fc.constant('rolled-back' as const), endedAt: time, reason: failure }),
  fc.record(
    {
      state: fc.constant('stuck' as const),
      endedAt: time,
      step: text,
      direction: fc.constantFrom('forward' as const, 'back' as const),
      reason: failure,
      undoing: failure,
    },
    { requiredKeys: ['state', 'endedAt', 'step', 'direction', 'reason'] },
  ),
);
export const anyExecution: Arbitrary<Execution> = fc.record({
  workflow: text,
  run: version,
  token: count,
  status,
  results: fc.dictionary(word, anyJson, { maxKeys: 4, noNullPrototype: true }),
  timings: fc.dictionary(word, duration, { maxKeys: 4, noNullPrototype: true }),
  last: fc.record({ fact: text, at: time, by: text, note: text }, { requiredKeys: ['fact', 'at', 'by'] }),
});
const move: Arbitrary<Move> = fc
  .record({
    id: anyMoveId,
    batch: anyBatchId,
    endpoint: anyEndpointName,
    driver: text,
    database: text,
    source: anyHostName,
    target: anyHostName,
    why: text,
    epoch: small,
    policy,
    priority: fc.integer(),
    createdAt: time,
    execution: anyExecution,
    stuckTold: time,
    cutover,
    reasons: fc.array(
      fc.record({
        batch: anyBatchId,
        move: anyMoveId,
        priority: fc.integer(),
        by: text,
        at: time,
        reason: text,
      }),
      { maxLength: 3 },
    ),
    joined: fc.record({ move: anyMoveId, batch: anyBatchId }),
    traceparent: text,
    version,
  })
  .chain((whole) => lacking(whole, ['stuckTold', 'cutover', 'reasons', 'joined', 'traceparent']));

const key = fc.string({ minLength: 1, maxLength: 60 });
const request: Arbitrary<RequestRecord> = fc
  .record({
    source: key,
    id: key,
    type: text,
    bodyHash: text,
    reason: text,
    outcome: fc.oneof(
      fc.record({ kind: fc.constant('pending' as const) }),
      fc.record({ kind: fc.constant('accepted' as const), batch: anyBatchId }, { requiredKeys: ['kind'] }),
      fc.record(
        { kind: fc.constant('refused' as const), failure, field: text },
        { requiredKeys: ['kind', 'failure'] },
      ),
    ),
    report: claimCheck,
    traceparent: text,
    receivedAt: time,
    version,
  })
  .chain((whole) => lacking(whole, ['reason', 'report', 'traceparent']));

const cleanupEntry: Arbitrary<CleanupEntry> = fc.record(
  { key: text, kind: text, name: text, systemIdentifier: text, oid: small, restore: anyJson },
  { requiredKeys: ['key', 'kind', 'name', 'systemIdentifier'] },
);
const cleanup: Arbitrary<CleanupRecord> = fc.record(
  {
    move: anyMoveId,
    run: version,
    host: anyHostName,
    token: count,
    items: fc.array(cleanupEntry, { maxLength: 5 }),
    version,
  },
  { requiredKeys: ['move', 'run', 'host', 'items', 'version'] },
);

const letter: Arbitrary<Letter> = fc
  .record({
    message: key,
    queue: text,
    receives: small,
    failure,
    setAside: fc.constant(true as const),
    at: time,
    deed: fc.record({
      kind: fc.constantFrom('redriven' as const, 'discarded' as const),
      by: text,
      reason: text,
      at: time,
    }),
    version,
  })
  .chain((whole) => lacking(whole, ['failure', 'setAside', 'deed']));

const fleet: Arbitrary<Fleet> = fc
  .record({
    knobs: fc
      .record({
        movesInAll: small,
        movesPerZone: small,
        movesPerBatch: small,
        startsPerMinute: small,
        pauseBudgetMs: duration,
        healing: fc.constantFrom('on', 'off'),
        graceMs: duration,
      })
      .chain((whole) => lacking(whole, ['pauseBudgetMs'])),
    turned: fc.dictionary(fc.constantFrom(...knobNames), hold, { noNullPrototype: true }),
    ...pause,
    version,
  })
  .chain((whole) => lacking(whole, sayings));
const notification: Arbitrary<Notification> = fc
  .record(
    {
      id: key,
      kind: fc.constantFrom('batch-finished' as const, 'move-stuck' as const, 'approval-wanted' as const),
      subject: text,
      what: text,
      why: fc.array(text, { maxLength: 3 }),
      next: fc.array(text, { maxLength: 3 }),
      about: fc.dictionary(word, fc.oneof(text, count), { maxKeys: 3, noNullPrototype: true }),
      at: time,
      toldAt: time,
      version,
    },
    { noNullPrototype: true },
  )
  .chain((whole) => lacking(whole, ['toldAt']));

const pace: Arbitrary<Pace> = fc.record({
  minute: time,
  starts: small,
  granted: fc.array(
    fc.record({ id: anyMoveId, batch: anyBatchId, source: anyHostName, target: anyHostName, at: time }),
    { maxLength: 4 },
  ),
  version,
});

const dials: Arbitrary<Dials> = fc.record({ out: small, in: small, moves: small }, { requiredKeys: [] });
const heard: Arbitrary<HeardAlarm> = fc.record({
  state: fc.constantFrom('alarm' as const, 'ok' as const),
  at: time,
  name: text,
});
const scaler: Arbitrary<Scaler> = fc
  .record({
    target: key,
    dials,
    alarms: fc.record({ wait: heard, lag: heard, latency: heard }, { requiredKeys: [] }),
    watch: fc.record({ from: time, peak: small, before: small }, { requiredKeys: ['from', 'peak'] }),
    decisions: fc.array(
      fc.record({
        at: time,
        direction: fc.constantFrom('out' as const, 'in' as const),
        from: dials,
        to: dials,
        reason: text,
      }),
      { maxLength: 4 },
    ),
    lastOutAt: time,
    lastInAt: time,
    version,
  })
  .chain((whole) => lacking(whole, ['lastOutAt', 'lastInAt']));

export const anyRecord: { readonly [K in RecordKind]: Arbitrary<Records[K]> } = {
  host,
  endpoint: placement,
  batch,
  move,
  request,
  cleanup,
  letter,
  fleet,
  news: notification,
  pace,
  scaler,
};

/** Every kind of record that a table holds. */
export const recordKinds = Object.keys(anyRecord).filter((name): name is RecordKind => name in anyRecord);

/** The value without some of the named fields, each by chance. */
function lacking<T extends object, Name extends keyof T>(
  whole: T,
  names: readonly Name[],
): Arbitrary<Omit<T, Name> & { [N in Name]?: T[N] }> {
  return fc.subarray([...names]).map((absent) => {
    const copy: Omit<T, Name> & { [N in Name]?: T[N] } = { ...whole };
    for (const name of absent) Reflect.deleteProperty(copy, name);
    return copy;
  });
}
