import { z } from 'zod';
import { apiAddress } from './state-dir.ts';

/** How a cloud is started; what the caller leaves out has been filled in. */
export const engineOptions = z.object({
  root: z.string(),
  stateDir: z.string(),
  stage: z.string(),
  params: z.record(z.string(), z.string()),
  port: z.number().int().min(0).max(65_533),
  dynamo: z.enum(['dynoxide', 'dynamodb-local']),
  inMemory: z.boolean(),
  writeLimitPerKey: z.number().positive().optional(),
  meterInDetail: z.boolean(),
  scheduleSpeed: z.number().min(0),
  defaultConcurrency: z.number().int().positive(),
  idleSeconds: z.number().positive(),
  functionVariables: z.record(z.string(), z.string()),
  traces: z.object({ alsoTo: z.url({ protocol: /^https?$/ }).optional() }).optional(),
  watch: z.boolean(),
  forwardLogs: z.boolean(),
});

export type EngineOptions = z.infer<typeof engineOptions>;

export const cloudDescription = z.object({
  env: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.string()),
  api: apiAddress.optional(),
  /** Where figures are, in the text form of OpenMetrics. */
  metrics: z.string(),
  functions: z.array(z.object({ logicalId: z.string(), name: z.string(), memoryMb: z.number() })),
  schedules: z.array(z.object({ logicalId: z.string(), name: z.string(), expression: z.string() })),
  notEmulated: z.array(z.object({ type: z.string(), logicalIds: z.array(z.string()) })),
});

/** What a cloud consists of. */
export type CloudDescription = z.infer<typeof cloudDescription>;

export const environmentView = z.object({
  /** Logical id of the function. */
  functionId: z.string(),
  functionName: z.string(),
  pid: z.number(),
  state: z.enum(['starting', 'idle', 'busy', 'returning', 'ending', 'ended']),
  requestId: z.string().optional(),
});

/** A live execution environment: a process, which a test may kill or stop. */
export type EnvironmentView = z.infer<typeof environmentView>;

const functionUse = z.object({
  invocations: z.number(),
  errors: z.number(),
  timeouts: z.number(),
  crashes: z.number(),
  coldStarts: z.number(),
  durationMs: z.number(),
  cpuMs: z.number(),
});

const sourceUse = z.object({
  functionId: z.string(),
  messages: z.number(),
  deleted: z.number(),
  largestBytes: z.number(),
  batches: z.number(),
  failedBatches: z.number(),
});

const tableUse = z.object({
  writeUnits: z.number(),
  unitsOf: z.record(z.string(), z.number()),
  indexUnits: z.record(z.string(), z.number()),
  requests: z.number(),
  readUnits: z.number(),
  throttled: z.number(),
});

export const cloudStats = z.object({
  /** By logical id of the function. */
  functions: z.record(z.string(), functionUse),
  /** By logical id of the event-source mapping. */
  sources: z.record(z.string(), sourceUse),
  /** By table name. */
  tables: z.record(z.string(), tableUse),
  /** With a limit per key only: the busiest key and its busiest second. */
  hottestKey: z.object({ key: z.string(), unitsPerSecond: z.number() }).optional(),
  /** CPU time of all function processes, ended ones too, in milliseconds. */
  functionCpuMs: z.number(),
  /** Messages that functions received from queues, redeliveries counted again. */
  messages: z.number(),
});

/** What happened in a cloud since it was started. */
export type CloudStats = z.infer<typeof cloudStats>;

export const engineCall = z.discriminatedUnion('method', [
  z.object({ id: z.number(), method: z.literal('start'), options: engineOptions }),
  z.object({ id: z.number(), method: z.literal('describe') }),
  z.object({ id: z.number(), method: z.literal('environments') }),
  z.object({ id: z.number(), method: z.literal('stats') }),
  z.object({ id: z.number(), method: z.literal('fire'), schedule: z.string() }),
  z.object({ id: z.number(), method: z.literal('invoke'), functionName: z.string(), payload: z.string() }),
  z.object({ id: z.number(), method: z.literal('deploy'), root: z.string() }),
  z.object({ id: z.number(), method: z.literal('stop') }),
]);

/** What the caller's process asks of the engine. */
export type EngineCall = z.infer<typeof engineCall>;

export const engineMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answer'), id: z.number(), value: z.unknown().optional() }),
  z.object({ kind: z.literal('refusal'), id: z.number(), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('notice'), text: z.string() }),
  z.object({ kind: z.literal('line'), functionName: z.string(), line: z.string() }),
  z.object({ kind: z.literal('fatal'), message: z.string() }),
]);

/** What the engine tells the caller's process. */
export type EngineMessage = z.infer<typeof engineMessage>;

/** Names of functions whose code or settings are others now. */
export const deployAnswer = z.array(z.string());

export const invokeAnswer = z.object({ payload: z.string(), failed: z.boolean() });
