import type { Preflight } from '../../ports/driver.ts';
import { replicationAddress } from './address.ts';
import type { MoveContext } from './context.ts';
import { applicationName, tokenSchema } from './names.ts';
import { recordPlan } from './plan.ts';
import { runPreflight } from './preflight/preflight.ts';

/** Tables above this get their keys when their rows are there; a host may have its own `parkingBytes`. */
const usualParkingBytes = 100e6;

/** Looks at both hosts, changes nothing, and turns what it found into the plan of the move. */
export async function preflightMove({ source, target, names, job }: MoveContext): Promise<Preflight> {
  const parkingBytes = job.source.options['parkingBytes'];
  const report = await runPreflight({
    source: source.address,
    target: target.address,
    sourceMaintenance: source.address.maintenance,
    targetMaintenance: target.address.maintenance,
    database: job.database,
    targetDatabase: job.database,
    applicationName: applicationName(job, job.token),
    replication: replicationAddress(job.source),
    replicationRole: names.role,
    roles: job.policy.roles,
    offline: job.policy.offline,
    ownPrefix: `dray_${job.installation}_`,
    tokenSchema: tokenSchema(job.installation),
    parkingBytes: typeof parkingBytes === 'number' ? parkingBytes : usualParkingBytes,
    signal: job.signal,
  });
  const { findings, mode, sizeBytes, facts } = report;
  return {
    findings: findings.map(({ object, ...finding }) =>
      object === undefined ? finding : { ...finding, object },
    ),
    mode,
    sizeBytes,
    recorded: facts === undefined ? null : recordPlan({ mode, ...facts, parked: inPairs(facts.parked) }),
  };
}

/**
 * Parked tables are copied two at a time, and the next two begin when those have their keys: an odd one would
 * be alone with its copy, so the smallest goes with the others. Largest first.
 */
function inPairs<T>(parked: readonly T[]): T[] {
  return parked.length > 1 && parked.length % 2 === 1 ? parked.slice(0, -1) : [...parked];
}
