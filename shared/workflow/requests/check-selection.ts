import type { Pair, Selection } from '../../domain/batch.ts';
import type { RequestEvent } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { HostName } from '../../domain/ids.ts';
import { readSelection } from '../planning/selection.ts';
import type { MovePolicy } from '../../domain/policy.ts';
import { obstacleTo } from '../planning/join-move.ts';
import type { Services } from '../services.ts';
import { unknownEndpoint } from './endpoints.ts';
import { checkTarget, knownHost } from './known-host.ts';
import { assertProspectOfHost, assertProspectOfNamed } from './prospect.ts';
import { Refused } from './record-request.ts';

type MoveBatch = Extract<RequestEvent, { readonly kind: 'move-batch' }>;
type SelectionServices = Pick<Services, 'store' | 'views' | 'blobs' | 'log'>;

/**
 * What is selected, checked. A body by reference is read now: whoever sent it is told now what is wrong with it, and
 * what becomes of the object afterwards is of no matter, for the batch keeps a copy of its own. Names of a long list
 * are looked up when they are planned.
 */
export async function selectionOf(
  services: SelectionServices,
  { selection: asked, policy }: Pick<MoveBatch, 'selection' | 'policy'>,
): Promise<Selection> {
  if (asked.kind === 'value') {
    const { selection } = asked;
    await checkSelection(services, selection, policy);
    return selection;
  }
  try {
    const selection = await readSelection(services, asked.check);
    await checkReference(services, selection, policy);
    return selection;
  } catch (error) {
    // The field is the event's: it has no other.
    if (error instanceof StepFailure) throw new Refused({ ...error.failure, field: byReference });
    if (error instanceof Refused) throw new Refused({ ...error.refusal, field: byReference });
    throw error;
  }
}

const byReference = 'data.selectionRef';

async function checkReference(
  services: SelectionServices,
  selection: Selection,
  policy: MovePolicy,
): Promise<void> {
  switch (selection.kind) {
    case 'endpoints':
      await checkTarget(services, selection.target);
      return;
    case 'pairs': {
      const targets = new Set(selection.pairs.flatMap(({ target }) => target ?? []));
      for (const target of targets) await checkTarget(services, target);
      return;
    }
    case 'host':
    case 'labels':
    case 'where':
    case 'rebalance':
    case 'relieve':
      await checkSelection(services, selection, policy);
      return;
    default:
      return selection satisfies never;
  }
}

async function checkSelection(
  services: SelectionServices,
  selection: Selection,
  policy: MovePolicy,
): Promise<void> {
  switch (selection.kind) {
    case 'rebalance':
      return;
    case 'labels':
      await checkTarget(services, selection.target);
      return;
    case 'where': {
      const { where, target } = selection;
      await checkTarget(services, target);
      if (where.host === undefined) return;
      await knownHost(services, where.host, 'data.where.host');
      if (where.host === target) throw sourceIsTarget(`everything on ${target}`, target);
      return;
    }
    case 'host': {
      const { host, target } = selection;
      await checkTarget(services, target);
      if (host === target) throw sourceIsTarget(`everything on ${target}`, target);
      await knownHost(services, host, 'data.host');
      await assertProspectOfHost(services, selection, 'data.host');
      return;
    }
    case 'relieve':
      if ((await knownHost(services, selection.host, 'data.relieve.host')).capacityBytes === undefined)
        throw unsized(selection.host);
      await assertProspectOfHost(services, selection, 'data.relieve.host');
      return;
    case 'pairs':
      await checkPairs(services, selection.pairs, policy);
      await assertProspectOfNamed(services, selection, 'data.pairs');
      return;
    case 'endpoints': {
      const { endpoints, target } = selection;
      await checkTarget(services, target);
      await checkEndpoints(
        services,
        endpoints.map((endpoint) => (target === undefined ? { endpoint } : { endpoint, target })),
        policy,
        (index) => `data.endpoints[${String(index)}]`,
      );
      await assertProspectOfNamed(services, selection, 'data.endpoints');
      return;
    }
    default:
      return selection satisfies never;
  }
}

async function checkPairs(
  services: SelectionServices,
  pairs: readonly Pair[],
  policy: MovePolicy,
): Promise<void> {
  const targets = new Map(
    pairs.flatMap(({ target }, index) => (target === undefined ? [] : [[target, index]])),
  );
  for (const [target, index] of targets)
    await checkTarget(services, target, `data.pairs[${String(index)}].target`);
  await checkEndpoints(services, pairs, policy, (index) => `data.pairs[${String(index)}].endpoint`);
}

async function checkEndpoints(
  services: SelectionServices,
  pairs: readonly Pair[],
  policy: MovePolicy,
  fieldOf: (index: number) => string,
): Promise<void> {
  const placements = await services.store.loadMany(
    'endpoint',
    pairs.map(({ endpoint }) => ({ endpoint })),
  );
  for (const [index, { endpoint, target }] of pairs.entries()) {
    const field = fieldOf(index);
    const placement = placements[index];
    if (placement === undefined) {
      throw unknownEndpoint(endpoint, field);
    }
    if (placement.host === target) throw sourceIsTarget(endpoint, target, field);
    if (placement.claim === undefined) continue;
    const { host: source, claim } = placement;
    // A move that does what is asked for is joined.
    const unfit = await obstacleTo(services, claim.move, { source, wanted: target, policy });
    if (unfit === undefined) continue;
    throw new Refused({
      code: 'endpoint-moving',
      field,
      sentence: `${endpoint} is being moved already, by ${claim.move}${unfit.why === undefined ? '' : `, ${unfit.why}`}`,
      cure: `wait for it (dray move show ${claim.move}), then ask again`,
    });
  }
}

function sourceIsTarget(what: string, target: HostName, field = 'data.target'): Refused {
  return new Refused({
    code: 'source-is-target',
    field,
    sentence: `${what} is on ${target} already`,
    cure: 'choose another target, or leave it out and let the planner choose',
  });
}

function unsized(host: HostName): Refused {
  return new Refused({
    code: 'capacity-unknown',
    field: 'data.relieve.host',
    sentence: `nobody has said how much ${host} may hold`,
    cure: `say it with host.changed, or dray host add ${host} … --capacity`,
  });
}
