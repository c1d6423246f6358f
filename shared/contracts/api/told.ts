import * as z from 'zod';
import type { batchAnswer } from './batches.ts';
import type { fleetAnswer } from './fleet.ts';
import type { hostAnswer } from './hosts.ts';
import type { moveAnswer } from './moves.ts';
import type { Batch, ClaimCheck } from '../../domain/batch.ts';
import type { Execution, ExecutionState } from '../../domain/execution.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Fleet } from '../../domain/fleet.ts';
import type { Host } from '../../domain/host.ts';
import { batchId, endpointName, hostName, moveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { MovePolicy } from '../../domain/policy.ts';
import { moveEndpointShape } from '../../domain/workflow-shape.ts';

/**
 * What the API answers, as the domain has it: then the same functions explain and estimate it that do so for `dray`.
 * What is nobody's business outside (how hosts are reached, what lies in object storage, figures that only the engine
 * counts by) is not told; nobody who explains asks for it, and it stands there empty.
 */

/** Free-form values. */
const json = z.json();

type MoveAnswer = z.output<typeof moveAnswer>;
type Told<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
export function known<T extends object>(fields: T): Told<T>;
export function known(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export function moveOf(answer: MoveAnswer): Move {
  const {
    move,
    batch,
    endpoint,
    driver,
    database,
    source,
    target,
    why,
    epoch,
    priority,
    createdAt,
    version,
  } = answer;
  return {
    ...{ driver, database, why, epoch, priority, createdAt, version },
    id: moveId(move),
    batch: batchId(batch),
    endpoint: endpointName(endpoint),
    source: hostName(source),
    target: hostName(target),
    policy: untoldPolicy,
    ...known({ cutover: answer.cutover }),
    ...(answer.reasons === undefined
      ? {}
      : {
          reasons: answer.reasons.map((each) => ({
            ...each,
            batch: batchId(each.batch),
            move: moveId(each.move),
          })),
        }),
    ...(answer.joined === undefined
      ? {}
      : { joined: { move: moveId(answer.joined.move), batch: batchId(answer.joined.batch) } }),
    execution: executionOf(answer),
  };
}

/** A move goes by its batch's. */
const untoldPolicy: MovePolicy = {
  roles: 'require',
  pauseBudgetMs: 0,
  lagLimitBytes: 0,
  retentionMs: 0,
  offline: 'refuse',
};

function executionOf(answer: MoveAnswer): Execution {
  const { run, timings, last } = answer;
  return {
    workflow: moveEndpointShape.name,
    run,
    token: 0,
    status: statusOf(answer),
    results: Object.fromEntries(
      Object.entries(answer.results).map(([step, value]) => [step, json.parse(value)]),
    ),
    timings,
    last: { fact: last.fact, at: last.at, by: last.by, ...known({ note: last.note }) },
  };
}

function statusOf({ status, last, createdAt }: MoveAnswer): ExecutionState {
  const { step = '', endedAt = last.at } = status;
  const reason = status.reason === undefined ? noReason : failureOf(status.reason);
  switch (status.state) {
    case 'waiting':
      return {
        state: 'waiting',
        waiting: status.waiting ?? { code: 'permit', on: 'its turn', since: createdAt },
        dueAt: status.dueAt ?? 0,
        ...(status.putOff === true ? { putOff: true } : {}),
      };
    case 'running':
      return {
        ...workingOf(status),
        state: 'running',
        step,
        forwardOnly: status.forwardOnly ?? false,
        retreats: 0,
      };
    case 'rolling-back':
      return { ...workingOf(status), state: 'rolling-back', step, reason };
    case 'completed':
      return { state: 'completed', endedAt };
    case 'rolled-back':
      return { state: 'rolled-back', endedAt, reason };
    case 'stuck':
      return {
        ...{ state: 'stuck', endedAt, step, reason },
        direction: status.direction ?? 'forward',
        ...(status.undoing === undefined ? {} : { undoing: failureOf(status.undoing) }),
      };
    default:
      return status.state satisfies never;
  }
}

function workingOf({ failures = 0, dueAt = 0, spentMs = 0, ...status }: MoveAnswer['status']) {
  const { waiting, hinderedSince, lastFailure, lease } = status;
  return {
    ...{ failures, dueAt, spentMs, idleHandovers: 0, deaths: 0 },
    ...known({ waiting, hinderedSince }),
    ...(lastFailure === undefined ? {} : { lastFailure: failureOf(lastFailure) }),
    ...(lease === undefined ? {} : { lease: { ...lease, token: 0 } }),
  };
}

const noReason: Failure = { code: 'unknown', sentence: 'nobody has said why', cure: 'see its history' };

function failureOf({
  code,
  sentence,
  cure,
  host,
  quarantined,
}: z.output<typeof moveAnswer>['status']['reason'] & object): Failure {
  return { code, sentence, cure, ...known({ host }), ...(quarantined === true ? { quarantined } : {}) };
}

const untoldCheck: ClaimCheck = { key: '', sha256: '', bytes: 0 };

export function batchOf(answer: z.output<typeof batchAnswer>): Batch {
  const { batch, requestSource, requestId, reason, priority, policy, state, planned, createdAt, version } =
    answer;
  const { total, ...counts } = answer.moves;
  const { failure, unmet, unknown, skipped } = answer;
  const { roles, offline, pauseBudgetMs, lagLimitBytes, retentionMs, start, startAt, window } = policy;
  return {
    ...{ requestSource, requestId, reason, priority, state, planned, createdAt, version },
    id: batchId(batch),
    selection: untoldCheck,
    policy: {
      ...{ pauseBudgetMs, lagLimitBytes, retentionMs },
      roles: roles === 'copy' ? 'copy' : 'require',
      offline: offline === 'allow' ? 'allow' : 'refuse',
      ...(policy.approval === 'required' ? { approval: 'required' } : {}),
      ...(policy.holdBeforeCutover === true ? { holdBeforeCutover: true } : {}),
      ...(start === 'manual' ? { start } : {}),
      ...known({ startAt, window }),
    },
    counts: known(counts),
    ...known({ total, endedAt: answer.endedAt, deadline: answer.deadline }),
    ...known({ paused: answer.paused, resumed: answer.resumed, approved: answer.approved }),
    ...known({ started: answer.started, cutover: answer.cutover, cancelled: answer.cancelled }),
    ...(failure === undefined ? {} : { failure: failureOf(failure) }),
    ...(unmet === undefined ? {} : { unmet: failureOf(unmet) }),
    ...(skipped === undefined ? {} : { skipped: { lines: skipped.lines, report: untoldCheck } }),
    ...(unknown === undefined
      ? {}
      : { unknown: { count: unknown.count, examples: unknown.examples.map(endpointName) } }),
  };
}

export function hostOf(answer: z.output<typeof hostAnswer>): Host {
  const {
    driver,
    zone,
    clientAddress,
    intent,
    movesOut,
    movesIn,
    reserved,
    serverVersion,
    registeredAt,
    version,
  } = answer;
  return {
    ...{ driver, zone, clientAddress, movesOut, movesIn, reserved, serverVersion, registeredAt, version },
    name: hostName(answer.host),
    ...{ url: '', replicationAddress: '', systemIdentifier: '', sequences: {}, options: {} },
    labels: answer.labels ?? {},
    intent: {
      value: intent.value,
      reason: intent.reason,
      sequence: intent.sequence,
      ...known({ deadline: intent.deadline }),
    },
    signals: Object.fromEntries(
      Object.entries(answer.signals).map(([name, { kind, since, at, reason }]) => [
        name,
        { kind, since, at, ...known({ reason }) },
      ]),
    ),
    cleared: answer.cleared ?? {},
    permitsOut: (answer.permitsOut ?? []).map(moveId),
    permitsIn: (answer.permitsIn ?? []).map(moveId),
    ...known({ capacityBytes: answer.capacityBytes, throttle: answer.throttle }),
    ...known({ paused: answer.paused, resumed: answer.resumed }),
    ...(answer.healing === undefined
      ? {}
      : { healing: { ...answer.healing, batches: answer.healing.batches.map(batchId) } }),
  };
}

export function fleetOf({
  knobs,
  turned,
  throttle,
  paused,
  resumed,
  version,
}: z.output<typeof fleetAnswer>): Fleet {
  const { pauseBudgetMs, ...others } = knobs;
  return {
    knobs: { ...others, ...known({ pauseBudgetMs }) },
    turned: known(turned),
    version,
    ...known({ paused, resumed }),
    ...(throttle === undefined
      ? {}
      : { throttle: { zones: throttle.zones, ...known({ all: throttle.all }) } }),
  };
}
