import * as z from 'zod';
import { StepFailure } from '../../domain/failure.ts';
import type { MoveContext } from './context.ts';
import { letOthersIn } from './door.ts';
import { durable } from './hands.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from './identifiers.ts';
import { assertNoZombie } from './replication/zombie.ts';

/**
 * The target's door: one transaction under the host token gives the database the owner, grants, settings,
 * comment and limits that the source had, and opens it.
 */
export async function openTarget(context: MoveContext): Promise<void> {
  const { target, plan } = context;
  const { attributes } = plan;
  await target.underToken(await context.targetOid(), async (tx, name) => {
    const database = quoteIdentifier(name);
    const comment = attributes.comment === null ? 'NULL' : quoteLiteral(attributes.comment);
    await letOthersIn(
      tx,
      name,
      context,
      `COMMENT ON DATABASE ${database} IS ${comment}`,
      `ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT ${String(attributes.connectionLimit)}`,
    );
  });
}

/** Clients can come in and write; and nothing was written to the source after the freeze. */
export async function probe(context: MoveContext): Promise<void> {
  const { target, names, plan, job } = context;
  const oid = await context.targetOid();
  const session = await target.inside(oid, 'probe', { settings: durable });
  try {
    const said = `epoch ${String(job.epoch + 1)}`;
    const settled = quoteQualified(names.schema, 'settled');
    const { back } = await session.one(
      `INSERT INTO ${settled} VALUES (2, $1) ON CONFLICT (id) DO UPDATE SET said = excluded.said RETURNING said AS back`,
      [said],
      z.object({ back: z.string() }),
    );
    if (back !== said) {
      throw new StepFailure(
        {
          code: 'probe-failed',
          sentence: `A write to the opened database on host "${job.target.host}" did not read back.`,
          cure: 'Look at triggers or rules that change what is written there.',
        },
        'retry',
      );
    }
    if (plan.mode === 'online') await assertNoZombie(context, session);
  } finally {
    await session.close();
  }
}
