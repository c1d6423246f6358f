import * as z from 'zod';
import type { CleanupEntry } from '../../../domain/cleanup.ts';
import { StepFailure } from '../../../domain/failure.ts';
import { replicationAddress } from '../address.ts';
import type { Session } from '../connection.ts';
import type { MoveContext } from '../context.ts';
import { openTargetToUs, recordSourceSettings } from '../fence/fence.ts';
import { quoteQualified } from '../identifiers.ts';
import { setIdentities } from './identity.ts';
import { makeRole, mayMakeRole } from './role.ts';
import { ensureMarkers, ensurePublication, ensureSlot } from './stream.ts';
import type { Stream } from './stream.ts';
import {
  binarySafe,
  createSubscription,
  enableSubscription,
  redirectSubscription,
  subscriptionsOf,
} from './subscription.ts';

/** A statement that waits for the transactions of the whole server gives up after this. */
const slotPatienceMs = 15_000;

/**
 * Makes everything that replication needs, in an order in which each part can be looked up before it is made:
 * role, markers, replica identities, publications, slots, subscriptions. All of it is recorded first.
 */
export async function establish(context: MoveContext, streams: readonly Stream[]): Promise<void> {
  const { source, target, sourceOid, names } = context;
  const targetOid = await openTargetToUs(context);
  const inside = await source.inside(sourceOid, 'work');
  const onTarget = await target.inside(targetOid, 'work');
  const present = await subscriptionsOf(onTarget, context.streamNames);
  // The first stream is enabled last, once all have their password, and is never disabled again.
  if (present.some(({ name, enabled }) => name === names.stream(0) && enabled)) return;

  const ownRole = await mayMakeRole(await source.maintenance());
  await recordAll(context, streams, ownRole);
  await ensureMarkers(inside, names.schema, streams.length, 'source');
  await setIdentities(inside, names.schema, context.plan.identities);
  await ensureMarkers(onTarget, names.schema, streams.length, 'target');
  for (const stream of streams) {
    await ensurePublication(inside, stream, names.schema);
    await createSlot(context, inside, stream.name);
  }
  // Whatever password the role had is known to nobody: a new one, also for subscriptions that are there.
  const way = ownRole
    ? await makeRole(source, names.role, await source.nameOf(sourceOid))
    : replicationAddress(context.job.source);
  const options = {
    source: way,
    database: await source.nameOf(sourceOid),
    binary: await binarySafe(inside, onTarget),
  };
  for (const { name } of streams) {
    if (present.some((known) => known.name === name)) await redirectSubscription(onTarget, name, options);
    else await createSubscription(onTarget, name, options);
  }
  await recordSubscriptions(context, await subscriptionsOf(onTarget, context.streamNames));
  for (const { name } of streams.toReversed()) await enableSubscription(onTarget, name, true);
}

async function recordAll(context: MoveContext, streams: readonly Stream[], ownRole: boolean): Promise<void> {
  const { source, target, sourceOid, names, plan } = context;
  const systemIdentifier = await source.systemIdentifier();
  const on = { systemIdentifier, oid: sourceOid };
  const entries: CleanupEntry[] = [
    { key: `schema:${names.schema}`, kind: 'schema', name: names.schema, ...on },
    ...plan.identities.map(({ schema, name, was }) => ({
      key: `replica-identity:${schema}.${name}`,
      kind: 'replica-identity',
      name: quoteQualified(schema, name),
      ...on,
      restore: was,
    })),
  ];
  if (ownRole) entries.push({ key: `role:${names.role}`, kind: 'role', name: names.role, systemIdentifier });
  for (const { name } of streams) {
    entries.push({ key: `publication:${name}`, kind: 'publication', name, ...on });
    entries.push({ key: `slot:${name}`, kind: 'slot', name, ...on });
  }
  const targetIdentifier = await target.systemIdentifier();
  await recordSourceSettings(context);
  await context.record(source, entries);
  await context.record(
    target,
    streams.map(({ name }) => ({
      key: `subscription:${name}`,
      kind: 'subscription',
      name,
      systemIdentifier: targetIdentifier,
    })),
  );
}

/** With the oid of a subscription, the slots of its table workers on the source can be told from others'. */
async function recordSubscriptions(
  context: MoveContext,
  subscriptions: readonly { oid: number; name: string }[],
): Promise<void> {
  const { source, target } = context;
  const onTarget = await target.systemIdentifier();
  const onSource = await source.systemIdentifier();
  await context.record(
    target,
    subscriptions.map(({ oid, name }) => ({
      key: `subscription:${name}`,
      kind: 'subscription',
      name,
      systemIdentifier: onTarget,
      oid,
    })),
  );
  await context.record(
    source,
    subscriptions.map(({ oid, name }) => ({
      key: `table-slots:${name}`,
      kind: 'table-slots',
      name: tableSlots(oid, onTarget),
      systemIdentifier: onSource,
      oid: context.sourceOid,
    })),
  );
}

/** LIKE pattern of the slots that the table workers of a subscription make on the source. */
export const tableSlots = (subscription: number, targetIdentifier: string): string =>
  `pg\\_${String(subscription)}\\_sync\\_%\\_${targetIdentifier}`;

async function createSlot(context: MoveContext, inside: Session, name: string): Promise<void> {
  try {
    await ensureSlot(inside, name, slotPatienceMs);
  } catch (error) {
    const [oldest] = await (
      await context.source.maintenance()
    ).query(
      `SELECT pid, coalesce(datname::text, '') AS database, coalesce(usename::text, '') AS who,
              extract(epoch FROM now() - xact_start)::int AS seconds
         FROM pg_catalog.pg_stat_activity
        WHERE backend_xid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
        ORDER BY xact_start LIMIT 1`,
      [],
      z.object({ pid: z.int(), database: z.string(), who: z.string(), seconds: z.int() }),
    );
    if (oldest === undefined || oldest.seconds < slotPatienceMs / 2000) throw error;
    throw new StepFailure(
      {
        code: 'long-transaction',
        sentence: `A transaction of "${oldest.who}" in "${oldest.database}" on host "${context.job.source.host}" (process ${String(oldest.pid)}) has been open for ${String(oldest.seconds)} s: no replication slot can be made before it ends.`,
        cure: 'Wait for it, or end it; the step is tried again.',
      },
      'retry',
      { cause: error },
    );
  }
}
