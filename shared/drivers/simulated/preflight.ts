import type { HostName } from '../../domain/ids.ts';
import type { Preflight, PreflightFinding } from '../../ports/driver.ts';
import type { Ground, Recorded } from './ground.ts';
import type { Outputs } from './protocol.ts';

/** Looks at both hosts and names everything that stands against the move. Changes nothing. */
export async function preflight({ job, source, target }: Ground): Promise<Preflight> {
  const from = await source.ask('inspect', { database: job.database });
  const to = await target.ask('survey', { database: job.database, source: job.source.url });
  const { database } = from;
  if (database === null) {
    const finding = blocker(
      'database-missing',
      `${job.source.host} has no database "${job.database}"`,
      'correct the name of the database, or take the endpoint out of the registry',
      job.database,
    );
    return { findings: [finding], sizeBytes: 0, mode: 'online', recorded: null };
  }
  const mode = from.host.replicates ? 'online' : 'offline';
  const recorded: Recorded = {
    mode,
    sourceSystem: from.host.system,
    targetSystem: to.host.system,
    oid: database.oid,
    owner: database.owner,
    schema: database.schema,
    extensions: database.extensions,
    bytes: database.bytes,
  };
  return {
    findings: [...onSource(job, from.host, database), ...onTarget(job, from.host, database, to)],
    sizeBytes: database.bytes,
    mode,
    recorded,
  };
}

/** A host whose endpoints are closed while they are copied. */
export const replicationOff = (name: HostName, severity: PreflightFinding['severity']): PreflightFinding => ({
  code: 'replication-off',
  severity,
  sentence: `${name} does not replicate, so the endpoint would be closed for the whole copy`,
  cure: 'turn replication on, or allow offline moves in the policy',
});

type Job = Ground['job'];
type Inspected = NonNullable<Outputs['inspect']['database']>;

function onSource(job: Job, host: Outputs['describe'], database: Inspected): PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  const name = job.source.host;
  if (!database.open) {
    findings.push(
      blocker(
        'database-closed',
        `"${job.database}" on ${name} accepts no connections`,
        'open it first, or leave it where it is',
      ),
    );
  }
  if (!host.replicates && job.policy.offline === 'refuse') findings.push(replicationOff(name, 'blocker'));
  if (host.replicates && host.slotsUsed >= host.slots) {
    findings.push(
      blocker(
        'slots-exhausted',
        `all ${String(host.slots)} replication slots of ${name} are taken`,
        'raise the number of slots, or wait until other moves have ended',
      ),
    );
  }
  for (const table of database.keyless) {
    findings.push({
      code: 'table-without-key',
      severity: 'action',
      object: table,
      sentence: `table ${table} has no key: its whole rows are compared`,
      cure: 'give it a key to make the move cheaper',
    });
  }
  return findings;
}

function onTarget(
  job: Job,
  from: Outputs['describe'],
  database: Inspected,
  to: Outputs['survey'],
): PreflightFinding[] {
  const findings: PreflightFinding[] = [];
  const name = job.target.host;
  const { host } = to;
  if (host.system === from.system) {
    findings.push(
      blocker(
        'same-server',
        `${job.source.host} and ${name} are one server, ${host.system}`,
        'choose another target',
      ),
    );
  } else if (to.taken) {
    findings.push(
      blocker(
        'target-database-exists',
        `${name} already has a database "${job.database}"`,
        'drop or rename it, or choose another target',
        job.database,
      ),
    );
  }
  if (!to.reaches) {
    findings.push(
      blocker(
        'target-cannot-reach-source',
        `${name} cannot reach ${job.source.replicationAddress}`,
        'open the way from the target to the source',
      ),
    );
  }
  if (host.version < from.version) {
    findings.push(
      blocker(
        'target-older',
        `${name} has version ${String(host.version)}, older than ${String(from.version)} of ${job.source.host}`,
        'choose a target of the same or a newer version',
      ),
    );
  }
  for (const extension of database.extensions.filter((each) => !host.extensions.includes(each))) {
    findings.push(
      blocker(
        'extension-missing',
        `${name} has no extension "${extension}"`,
        `install "${extension}" there`,
        extension,
      ),
    );
  }
  if (job.policy.roles === 'require' && !host.roles.includes(database.owner)) {
    findings.push(
      blocker(
        'role-missing',
        `${name} has no role "${database.owner}"`,
        `create it there, or let the policy copy roles`,
        database.owner,
      ),
    );
  }
  if (host.capacityBytes !== null && host.usedBytes + database.bytes > host.capacityBytes) {
    const free = String(Math.max(0, host.capacityBytes - host.usedBytes));
    findings.push(
      blocker(
        'no-space',
        `${name} has ${free} bytes free and the endpoint needs ${String(database.bytes)}`,
        'make room, or choose another target',
      ),
    );
  }
  if (host.workersUsed >= host.workers) {
    findings.push(
      blocker(
        'workers-exhausted',
        `all ${String(host.workers)} replication workers of ${name} are busy`,
        'raise their number, or wait until other moves have ended',
      ),
    );
  }
  return findings;
}

function blocker(code: string, sentence: string, cure: string, object?: string): PreflightFinding {
  return { code, severity: 'blocker', sentence, cure, ...(object === undefined ? {} : { object }) };
}
