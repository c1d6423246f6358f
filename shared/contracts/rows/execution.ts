import * as z from 'zod';
import type { Execution, ExecutionState } from '../../domain/execution.ts';
import type { Json } from '../../domain/json.ts';
import { countField, durationField, failureField, jsonField, timeField } from './fields.ts';
import type { Attribute } from './row.ts';

const waitingField = z.strictObject({ code: z.string(), on: z.string(), since: timeField });

const working = {
  step: z.string(),
  failures: countField,
  idleHandovers: countField,
  deaths: countField,
  hinderedSince: z.exactOptional(timeField),
  dueAt: timeField,
  lease: z.exactOptional(z.strictObject({ owner: z.string(), token: countField, until: timeField })),
  waiting: z.exactOptional(waitingField),
  lastFailure: z.exactOptional(failureField),
  progress: z.exactOptional(jsonField),
  spentMs: durationField,
};

const statusField = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('waiting'),
    waiting: waitingField,
    dueAt: timeField,
    putOff: z.exactOptional(z.literal(true)),
    carried: z.exactOptional(z.literal(true)),
  }),
  z.strictObject({
    state: z.literal('running'),
    ...working,
    forwardOnly: z.boolean(),
    retreats: countField,
  }),
  z.strictObject({ state: z.literal('rolling-back'), ...working, reason: failureField }),
  z.strictObject({ state: z.literal('completed'), endedAt: timeField }),
  z.strictObject({ state: z.literal('rolled-back'), endedAt: timeField, reason: failureField }),
  z.strictObject({
    state: z.literal('stuck'),
    endedAt: timeField,
    step: z.string(),
    direction: z.enum(['forward', 'back']),
    reason: failureField,
    undoing: z.exactOptional(failureField),
  }),
]);

/** The attributes of a row that hold its execution. */
export const executionFields = {
  workflow: z.string(),
  run: z.int().positive(),
  token: countField,
  status: statusField,
  results: z.record(z.string(), jsonField),
  timings: z.record(z.string(), durationField),
  last: z.strictObject({
    fact: z.string(),
    at: timeField,
    by: z.string(),
    note: z.exactOptional(z.string()),
  }),
};

export function encodeExecution(execution: Execution): { readonly [name: string]: Attribute } {
  const { workflow, run, token, status, results, timings, last } = execution;
  return {
    workflow,
    run,
    token,
    status: encodeStatus(status),
    results: texts(results),
    timings,
    last: { ...last },
  };
}

function encodeStatus(status: ExecutionState): Attribute {
  switch (status.state) {
    case 'waiting':
      return { ...status, waiting: { ...status.waiting } };
    case 'running':
      return encodeWorking(status);
    case 'rolling-back':
      return { ...encodeWorking(status), reason: { ...status.reason } };
    case 'completed':
      return { ...status };
    case 'rolled-back':
      return { ...status, reason: { ...status.reason } };
    case 'stuck':
      return {
        ...status,
        reason: { ...status.reason },
        undoing: status.undoing === undefined ? undefined : { ...status.undoing },
      };
    default:
      return status satisfies never;
  }
}

type WorkingState = Extract<ExecutionState, { readonly step: string; readonly failures: number }>;

function encodeWorking(status: WorkingState): { readonly [name: string]: Attribute | undefined } {
  const { lease, waiting, lastFailure, progress, ...plain } = status;
  return {
    ...('reason' in plain ? { ...plain, reason: { ...plain.reason } } : plain),
    lease: lease === undefined ? undefined : { ...lease },
    waiting: waiting === undefined ? undefined : { ...waiting },
    lastFailure: lastFailure === undefined ? undefined : { ...lastFailure },
    progress: progress === undefined ? undefined : JSON.stringify(progress),
  };
}

function texts(values: Readonly<Record<string, Json>>): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
}
