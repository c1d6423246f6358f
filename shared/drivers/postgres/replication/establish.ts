import type { CleanupEntry } from '../../../domain/cleanup.ts';
import { replicationAddress } from '../address.ts';
import type { MoveContext } from '../context.ts';
import { openTargetToUs, recordSourceSettings } from '../fence/fence.ts';
import { quoteQualified } from '../identifiers.ts';
import { isReplicated } from '../inventory.ts';
import { setIdentities } from './identity.ts';
import { makeRole, mayMakeRole } from './role.ts';
import { ensureMarker, ensurePublication } from './stream.ts';
import {
  binarySafe,
  createSubscription,
  enableSubscription,
  redirectSubscription,
  subscriptionsOf,
} from './subscription.ts';

/**
 * What has to be there before the slot: markers, replica identities and the publication. Recorded first,
 * with everything that comes later; each part is looked up before it is made.
 */
export async function preparePublication(context: MoveContext): Promise<void> {
  const { source, target, sourceOid, names } = context;
  const targetOid = await openTargetToUs(context);
  const inside = await source.inside(sourceOid, 'work');
  await recordAll(context, await mayMakeRole(await source.maintenance()));
  await ensureMarker(inside, names.schema, 'source');
  await setIdentities(inside, names.schema, context.plan.identities);
  await ensureMarker(await target.inside(targetOid, 'work'), names.schema, 'target');
  const { tables } = await context.inventory();
  await ensurePublication(inside, names.stream, names.schema, tables.filter(isReplicated));
}

/** The target follows from the place where the copied state was. Its rows and keys must be there. */
export async function startFollowing(context: MoveContext): Promise<void> {
  const { source, target, sourceOid, names } = context;
  const inside = await source.inside(sourceOid, 'work');
  const targetOid = await openTargetToUs(context);
  const onTarget = await target.inside(targetOid, 'work');
  const [known] = await subscriptionsOf(onTarget, [names.stream]);
  if (known?.enabled === true) return;
  // Whatever password the role had is known to nobody: a new one, also for a subscription that is there.
  const way = (await mayMakeRole(await source.maintenance()))
    ? await makeRole(source, names.role, await source.nameOf(sourceOid))
    : replicationAddress(context.job.source);
  const options = {
    source: way,
    database: await source.nameOf(sourceOid),
    binary: await binarySafe(inside, onTarget),
  };
  if (known === undefined) await createSubscription(target, targetOid, names.stream, options);
  else await redirectSubscription(target, targetOid, names.stream, options);
  await enableSubscription(onTarget, names.stream, true);
}

async function recordAll(context: MoveContext, ownRole: boolean): Promise<void> {
  const { source, target, sourceOid, names, plan } = context;
  const name = names.stream;
  const systemIdentifier = await source.systemIdentifier();
  const on = { systemIdentifier, oid: sourceOid };
  const entries: CleanupEntry[] = [
    { key: `schema:${names.schema}`, kind: 'schema', name: names.schema, ...on },
    ...plan.identities.map((table) => ({
      key: `replica-identity:${table.schema}.${table.name}`,
      kind: 'replica-identity',
      name: quoteQualified(table.schema, table.name),
      ...on,
      restore: table.was,
    })),
    { key: `publication:${name}`, kind: 'publication', name, ...on },
    { key: `slot:${name}`, kind: 'slot', name, ...on },
  ];
  if (ownRole) entries.push({ key: `role:${names.role}`, kind: 'role', name: names.role, systemIdentifier });
  await recordSourceSettings(context);
  await context.record(source, entries);
  await context.record(target, [
    {
      key: `subscription:${name}`,
      kind: 'subscription',
      name,
      systemIdentifier: await target.systemIdentifier(),
    },
  ]);
}
