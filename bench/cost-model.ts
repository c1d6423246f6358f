import { prices } from './prices.ts';

/** What a move uses, on average; and so in millions, what a million of them do. */
export interface Use {
  readonly publishes: number;
  readonly queueRequests: number;
  readonly invocations: number;
  readonly gigabyteSeconds: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly objectWrites: number;
  readonly objectReads: number;
  readonly secretReads: number;
}

export const nothing: Use = {
  publishes: 0,
  queueRequests: 0,
  invocations: 0,
  gigabyteSeconds: 0,
  writeUnits: 0,
  readUnits: 0,
  objectWrites: 0,
  objectReads: 0,
  secretReads: 0,
};

const priceOf: Readonly<Record<keyof Use, number>> = {
  publishes: prices.publish,
  queueRequests: prices.queueRequest,
  invocations: prices.invocation,
  gigabyteSeconds: prices.gigabyteSecond,
  writeUnits: prices.writeUnit,
  readUnits: prices.readUnit,
  objectWrites: prices.objectWrite,
  objectReads: prices.objectRead,
  secretReads: prices.secretRead,
};

const lines = [
  'publishes',
  'queueRequests',
  'invocations',
  'gigabyteSeconds',
  'writeUnits',
  'readUnits',
  'objectWrites',
  'objectReads',
  'secretReads',
] as const satisfies readonly (keyof Use)[];

/** Dollars per million moves, line by line. */
export const bill = (use: Use): readonly { readonly line: keyof Use; readonly dollars: number }[] =>
  lines.map((line) => ({ line, dollars: use[line] * priceOf[line] }));

/** Dollars per million moves. */
export const dollars = (use: Use): number => bill(use).reduce((sum, line) => sum + line.dollars, 0);

/** A piece of work of some steps, each of which takes some time and is recorded. */
export interface Course {
  readonly steps: number;
  /** Of each step, milliseconds. */
  readonly workMs: number;
  readonly memoryGb: number;
  /** Of each record, milliseconds. */
  readonly recordMs: number;
  /** KiB at most: a write unit each. */
  readonly recordKib: number;
}

export const twelveSteps: Course = { steps: 12, workMs: 100, memoryGb: 0.25, recordMs: 5, recordKib: 1 };

/** What the step engine itself uses for the work on one task, as `cost-engine` counts it. */
export interface EngineUse {
  /** Of the task's own row. */
  readonly writeUnits: number;
  /** Of the index by which a task whose message was lost is found. */
  readonly dueUnits: number;
  readonly reads: number;
  readonly messages: number;
  readonly invocations: number;
}

/** A message that finds nothing to do costs its function about as much as a read takes. */
const lookMs = 10;

/**
 * The step engine alone.
 * @param together tasks in one invocation: their messages travel together, and their time is one
 */
export function engineAlone(course: Course, used: EngineUse, together: number): Use {
  const { steps, workMs, recordMs, memoryGb } = course;
  const workingMs = steps * (workMs + recordMs) + 2 * recordMs;
  const ms = workingMs + (used.invocations - 1) * lookMs;
  return {
    ...nothing,
    // Sent, received, deleted.
    queueRequests: (3 * used.messages) / together,
    invocations: used.invocations / together,
    gigabyteSeconds: ((ms / 1_000) * memoryGb) / together,
    writeUnits: used.writeUnits + used.dueUnits,
    readUnits: used.reads,
  };
}

/** What others take for the same course: dollars per million. Each begins with a message by SNS and SQS. */
export function others(course: Course): readonly { readonly name: string; readonly dollars: number }[] {
  const { steps, workMs, recordMs, memoryGb, recordKib } = course;
  const begun: Use = { ...nothing, publishes: 1, queueRequests: 2 };
  const lambda = (invocations: number, ms: number): Use => ({
    ...begun,
    invocations,
    gigabyteSeconds: (ms / 1_000) * memoryGb,
  });
  /** Starts it, and ends. */
  const starterMs = 20;
  const operations = steps + 1;
  const writtenGb = (operations * recordKib * 1_024 * 1e6) / 1e9;
  const keptMonths = 14 / 30;
  const hops = steps - 1;
  const units = steps * recordKib;
  return [
    {
      name: 'Step Functions Standard, a function per step',
      dollars: dollars(lambda(1 + steps, starterMs + steps * workMs)) + steps * prices.transition,
    },
    {
      name: 'Lambda durable functions',
      dollars:
        dollars(lambda(2, starterMs + steps * (workMs + recordMs))) +
        operations * prices.durableOperation +
        writtenGb * (prices.durableGigabyte + keptMonths * prices.durableGigabyteMonth),
    },
    {
      name: 'a queue hop per step, state in DynamoDB',
      dollars: dollars({
        ...lambda(steps, steps * (workMs + 2 * recordMs)),
        queueRequests: 2 + 3 * hops,
        writeUnits: units,
        readUnits: steps,
      }),
    },
    {
      name: 'the same, all messages by tens',
      dollars: dollars({
        ...lambda(steps, steps * (workMs + 2 * recordMs)),
        queueRequests: 0.2 + 0.3 * hops,
        writeUnits: units,
        readUnits: steps,
      }),
    },
  ];
}
