import * as z from 'zod';
import type { CleanupEntry } from '../../domain/cleanup.ts';
import { SessionLost, StepFailure } from '../../domain/failure.ts';
import type { MoveJob } from '../../ports/driver.ts';
import { moveNames, type MoveNames } from './names.ts';
import type { Guard } from './protocol.ts';
import type { Link, Transport } from './transport.ts';

/** What preflight found out, once, for every later step. */
const recordedSchema = z.strictObject({
  mode: z.enum(['online', 'offline']),
  sourceSystem: z.string(),
  targetSystem: z.string(),
  oid: z.int(),
  owner: z.string(),
  schema: z.string(),
  extensions: z.array(z.string()),
  bytes: z.int(),
});
export type Recorded = z.output<typeof recordedSchema>;

/** Where one move's session stands: its job, a link to each host, and the names of its things. */
export interface Ground {
  readonly job: MoveJob;
  readonly source: Link;
  readonly target: Link;
  readonly names: MoveNames;
  readonly pause: Transport['pause'];
  /** @throws StepFailure `preflight-missing` */
  readonly recorded: () => Recorded;
  /** The database on the source, under our token. */
  readonly onSource: () => Guard;
  /** The database on the target while it is ours, under our token. */
  readonly onTarget: () => Guard;
  /** The same when it may be ours no longer because it serves. */
  readonly onServing: () => Guard;
}

export function layGround(job: MoveJob, transport: Transport): Ground {
  const names = moveNames(job);
  const recorded = (): Recorded => {
    const parsed = recordedSchema.safeParse(job.recorded);
    if (parsed.success) return parsed.data;
    throw new StepFailure(
      {
        code: 'preflight-missing',
        sentence: `the preflight of ${job.move} left no record`,
        cure: 'start the move again',
      },
      'fail',
    );
  };
  const guard = (system: string, database: Guard['database']): Guard => ({
    system,
    token: job.token,
    database,
  });
  return {
    job,
    names,
    recorded,
    source: obeying(job, transport, job.source),
    target: obeying(job, transport, job.target),
    pause: transport.pause,
    onSource: () => guard(recorded().sourceSystem, { oid: recorded().oid }),
    onTarget: () => guard(recorded().targetSystem, { mark: names.mark }),
    onServing: () => guard(recorded().targetSystem, { mark: names.mark, serving: job.database }),
  };
}

/** A link, connected when first needed, that starts nothing once the job's signal is given. */
function obeying(job: MoveJob, transport: Transport, site: MoveJob['source']): Link {
  let link: Link | undefined;
  return {
    async ask(kind, input) {
      job.signal.throwIfAborted();
      link ??= transport.connect(site);
      return await link.ask(kind, input);
    },
    async close() {
      await link?.close();
    },
  };
}

/** Inside the fence an answer that does not come means that the session is gone. */
export async function insideFence<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepFailure && error.verdict === 'host-down') {
      throw new SessionLost(error.message, { cause: error });
    }
    throw error;
  }
}

export type ThingKind = 'database' | 'retained' | 'subscription' | 'slot' | 'publication' | 'access';

export const keyOf = (kind: ThingKind, name: string): string => `${kind}:${name}`;

export function entry(
  kind: ThingKind,
  name: string,
  systemIdentifier: string,
  more: Pick<CleanupEntry, 'oid' | 'restore'> = {},
): CleanupEntry {
  return { key: keyOf(kind, name), kind, name, systemIdentifier, ...more };
}
