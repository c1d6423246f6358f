import type { Preflight } from '../../ports/driver.ts';
import { replicationAddress } from './address.ts';
import type { MoveContext } from './context.ts';
import { applicationName, tokenSchema } from './names.ts';
import { recordPlan } from './plan.ts';
import { runPreflight } from './preflight/preflight.ts';
import { asPortFindings } from './preflight/report.ts';

/** Looks at both hosts, changes nothing, and turns what it found into the plan of the move. */
export async function preflightMove({ source, target, names, job }: MoveContext): Promise<Preflight> {
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
    signal: job.signal,
  });
  const { findings, mode, sizeBytes, facts } = report;
  return {
    findings: asPortFindings(findings),
    mode,
    sizeBytes,
    recorded: facts === undefined ? null : recordPlan({ mode, ...facts }),
  };
}
