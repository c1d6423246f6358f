import type { Batch } from '../../shared/domain/batch.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import type { Host } from '../../shared/domain/host.ts';
import { batchId, endpointName, hostName, moveId } from '../../shared/domain/ids.ts';
import type { Json } from '../../shared/domain/json.ts';
import type { Move } from '../../shared/domain/move.ts';

/** Records in states that a test chooses, for what people are shown of them. */

const policy = {
  roles: 'require',
  pauseBudgetMs: 2_000,
  lagLimitBytes: 1_048_576,
  retentionMs: 86_400_000,
  offline: 'refuse',
} as const;

/** 21 November 2026, 09:00:00 UTC. */
export const began = Date.UTC(2026, 10, 21, 9, 0, 0);

export function batchOf(change: Partial<Batch> = {}): Batch {
  return {
    id: batchId('bt_0123456789abcdef0123'),
    requestSource: 'test',
    requestId: '1',
    reason: 'disk is failing',
    selection: { key: 'claims/x', sha256: 'x', bytes: 1 },
    priority: 50,
    policy,
    state: 'running',
    planned: 0,
    counts: {},
    createdAt: began,
    version: 1,
    ...change,
  };
}

export interface MoveChange {
  readonly source?: string;
  readonly target?: string;
  readonly results?: Readonly<Record<string, Json>>;
}

/** A move of an endpoint in a state. @param nth makes its id */
export function moveOf(nth: number, endpoint: string, status: ExecutionState, change: MoveChange = {}): Move {
  const { source = 'a', target = 'b', results = {} } = change;
  return {
    id: moveId(`mv_${String(nth).padStart(16, '0')}`),
    batch: batchOf().id,
    endpoint: endpointName(endpoint),
    driver: 'postgres',
    database: endpoint,
    source: hostName(source),
    target: hostName(target),
    why: 'asked for',
    epoch: 1,
    policy,
    priority: 50,
    createdAt: began,
    execution: {
      workflow: 'move-endpoint',
      run: 1,
      token: 1,
      status,
      results,
      timings: {},
      last: { fact: 'claimed', at: began, by: 'worker' },
    },
    version: 1,
  };
}

export const failure = { code: 'no-space', sentence: 'b has too little room', cure: 'make room on b' };

const working = { failures: 0, idleHandovers: 0, deaths: 0, dueAt: began, spentMs: 0 };

export const states = {
  waiting: {
    state: 'waiting',
    waiting: { code: 'permit', on: 'a permit on a and b', since: began },
    dueAt: began,
  },
  running: (step: string, progress?: Json): ExecutionState => ({
    state: 'running',
    step,
    ...working,
    forwardOnly: false,
    retreats: 0,
    ...(progress === undefined ? {} : { progress }),
  }),
  hindered: (step: string): ExecutionState => ({
    state: 'running',
    step,
    ...working,
    forwardOnly: false,
    retreats: 0,
    hinderedSince: began,
    lastFailure: { code: 'host-unreachable', sentence: 'a does not answer', cure: 'start a' },
    waiting: { code: 'host-unreachable', on: 'a does not answer', since: began },
  }),
  rollingBack: (step: string): ExecutionState => ({
    state: 'rolling-back',
    step,
    ...working,
    reason: failure,
  }),
  completed: { state: 'completed', endedAt: began + 5_000 },
  rolledBack: { state: 'rolled-back', endedAt: began + 5_000, reason: failure },
  stuck: { state: 'stuck', endedAt: began + 5_000, step: 'freeze', direction: 'back', reason: failure },
} as const satisfies Record<string, ExecutionState | ((step: string) => ExecutionState)>;

/** What a move that has arrived leaves. */
export const arrived = (pauseMs: number, sizeBytes: number): Readonly<Record<string, Json>> => ({
  preflight: { sizeBytes, mode: 'online', warnings: 0, recorded: { value: null }, findings: { value: [] } },
  activate: {
    pauseMs,
    openedAt: began,
    retained: { host: 'a', database: 'old', systemIdentifier: '1', oid: 1 },
  },
});

export function hostOf(name: string, change: Partial<Host> = {}): Host {
  return {
    name: hostName(name),
    driver: 'postgres',
    url: `postgres://mover@${name}:5432/postgres`,
    replicationAddress: `${name}:5432`,
    clientAddress: `${name}:5432`,
    zone: 'z',
    intent: { value: 'active', sequence: 0, reason: 'registered' },
    labels: {},
    sequences: {},
    signals: {},
    cleared: {},
    systemIdentifier: name,
    serverVersion: '18.4',
    movesOut: 2,
    movesIn: 2,
    permitsOut: [],
    permitsIn: [],
    reserved: {},
    options: {},
    registeredAt: began,
    version: 1,
    ...change,
  };
}
