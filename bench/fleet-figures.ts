import type { CloudStats } from '../local/cloud.ts';

/** What one stretch of a run cost, by the cloud's own meters. */
export interface FleetFigures {
  readonly writeUnits: number;
  readonly indexUnits: number;
  readonly writeRequests: number;
  readonly throttled: number;
  /** That functions received from queues. */
  readonly messages: number;
  /** Of rows, that were passed on by the table's stream. */
  readonly changes: number;
  readonly invocations: number;
  readonly failedInvocations: number;
  readonly functionCpuMs: number;
  /** Of a message between functions. */
  readonly largestMessageBytes: number;
  /** Messages by the function that they came to, most first. */
  readonly messagesOf: Readonly<Record<string, number>>;
  /** CPU time by function, in milliseconds, most first. */
  readonly cpuMsOf: Readonly<Record<string, number>>;
}

/** Sources whose messages come from outside (publishers, alarms, buckets), or are changes of rows. */
const notInternal = /^(?:AcceptRequest|ReactToHostChange|ScaleWorkers|IngestManifest|RelayChanges)/;

const isChange = (functionId: string): boolean => functionId.startsWith('RelayChanges');

export function figuresBetween(before: CloudStats, after: CloudStats): FleetFigures {
  const tables = Object.entries(after.tables).map(([name, use]) => ({ use, was: before.tables[name] }));
  const functions = Object.entries(after.functions).map(([id, use]) => ({
    id,
    use,
    was: before.functions[id],
  }));
  const internal = Object.values(after.sources).filter(({ functionId }) => !notInternal.test(functionId));
  const spent = functions.map(({ id, use, was }) => [id, use.cpuMs - (was?.cpuMs ?? 0)] as const);
  const received = new Map<string, number>();
  for (const [id, { functionId, messages }] of Object.entries(after.sources)) {
    received.set(
      functionId,
      (received.get(functionId) ?? 0) + messages - (before.sources[id]?.messages ?? 0),
    );
  }
  return {
    writeUnits: sum(tables.map(({ use, was }) => use.writeUnits - (was?.writeUnits ?? 0))),
    indexUnits: sum(tables.map(({ use, was }) => all(use.indexUnits) - all(was?.indexUnits ?? {}))),
    writeRequests: sum(tables.map(({ use, was }) => use.requests - (was?.requests ?? 0))),
    throttled: sum(tables.map(({ use, was }) => use.throttled - (was?.throttled ?? 0))),
    messages: sum([...received].filter(([id]) => !isChange(id)).map(([, count]) => count)),
    changes: sum([...received].filter(([id]) => isChange(id)).map(([, count]) => count)),
    invocations: sum(functions.map(({ use, was }) => use.invocations - (was?.invocations ?? 0))),
    failedInvocations: sum(functions.map(({ use, was }) => failed(use) - failed(was))),
    functionCpuMs: after.functionCpuMs - before.functionCpuMs,
    largestMessageBytes: Math.max(0, ...internal.map(({ largestBytes }) => largestBytes)),
    messagesOf: mostFirst([...received]),
    cpuMsOf: mostFirst(spent),
  };
}

type FunctionUse = CloudStats['functions'][string];

function mostFirst(entries: readonly (readonly [string, number])[]): Record<string, number> {
  const some = entries.filter(([, value]) => value > 0);
  return Object.fromEntries(some.sort(([, one], [, other]) => other - one));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const all = (units: Readonly<Record<string, number>>): number => sum(Object.values(units));
const failed = (use: FunctionUse | undefined): number =>
  use === undefined ? 0 : use.errors + use.timeouts + use.crashes;
