import type { Pair, Selection } from '../../domain/batch.ts';
import type { Parsed, RequestEvent } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { HostName } from '../../domain/ids.ts';
import { priorities } from '../../domain/priority.ts';
import { readSelection } from '../planning/selection.ts';
import type { Services } from '../services.ts';
import { changeEndpoint, registerEndpoint, unknownEndpoint } from './endpoints.ts';
import { checkTarget, knownHost } from './known-host.ts';
import { openBatch } from './open-batch.ts';
import { recordRefusal, recordRequest, Refused } from './record-request.ts';
import { turnKnob } from './turn-knob.ts';

type AcceptServices = Pick<Services, 'store' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log'>;

/** Takes one event of the `requests` topic: what can be seen to be wrong is refused before anything begins. */
export async function acceptRequest(services: AcceptServices, parsed: Parsed<RequestEvent>): Promise<void> {
  if (parsed.kind === 'refused') {
    await recordRefusal(services, parsed.head, parsed.refusal);
    return;
  }
  const { head, event } = parsed;
  const why = 'reason' in event ? { reason: event.reason } : {};
  await recordRequest(services, { ...head, ...why }, async () => {
    switch (event.kind) {
      case 'move-batch': {
        const { reason, policy } = event;
        const selection = await selectionOf(services, event.selection);
        return {
          batch: await openBatch(services, head, {
            reason,
            policy,
            priority: priorities.requested,
            selection,
          }),
        };
      }
      case 'register-endpoint':
        await registerEndpoint(services, event);
        return {};
      case 'change-endpoint':
        await changeEndpoint(services, event);
        return {};
      case 'set-knob':
        await turnKnob(services, head.source, event);
        return {};
      default:
        return event satisfies never;
    }
  });
}

/**
 * What is selected, checked. A body by reference is read now: whoever sent it is told now what is wrong with it, and
 * what becomes of the object afterwards is of no matter, for the batch keeps a copy of its own. Names of a long list
 * are looked up when they are planned.
 */
async function selectionOf(
  services: AcceptServices,
  asked: Extract<RequestEvent, { readonly kind: 'move-batch' }>['selection'],
): Promise<Selection> {
  if (asked.kind === 'value') {
    await checkSelection(services, asked.selection);
    return asked.selection;
  }
  try {
    const selection = await readSelection(services, asked.check);
    await checkReference(services, selection);
    return selection;
  } catch (error) {
    // The field is the event's: it has no other.
    if (error instanceof StepFailure) throw new Refused({ ...error.failure, field: byReference });
    if (error instanceof Refused) throw new Refused({ ...error.refusal, field: byReference });
    throw error;
  }
}

const byReference = 'data.selectionRef';

async function checkReference(services: AcceptServices, selection: Selection): Promise<void> {
  switch (selection.kind) {
    case 'endpoints':
      if (selection.target !== undefined) await checkTarget(services, selection.target);
      return;
    case 'pairs': {
      const targets = new Set(selection.pairs.flatMap(({ target }) => target ?? []));
      for (const target of targets) await checkTarget(services, target);
      return;
    }
    case 'host':
    case 'labels':
      await checkSelection(services, selection);
      return;
    default:
      return selection satisfies never;
  }
}

async function checkSelection(services: AcceptServices, selection: Selection): Promise<void> {
  if (selection.kind === 'pairs') {
    await checkPairs(services, selection.pairs);
    return;
  }
  const { target } = selection;
  if (target !== undefined) await checkTarget(services, target);
  switch (selection.kind) {
    case 'labels':
      return;
    case 'host':
      if (selection.host === target) throw sourceIsTarget(`everything on ${target}`, target);
      await knownHost(services, selection.host, 'data.host');
      return;
    case 'endpoints':
      await checkEndpoints(
        services,
        selection.endpoints.map((endpoint) => (target === undefined ? { endpoint } : { endpoint, target })),
        (index) => `data.endpoints[${String(index)}]`,
      );
      return;
    default:
      return selection satisfies never;
  }
}

async function checkPairs(services: AcceptServices, pairs: readonly Pair[]): Promise<void> {
  const targets = new Map(
    pairs.flatMap(({ target }, index) => (target === undefined ? [] : [[target, index]])),
  );
  for (const [target, index] of targets)
    await checkTarget(services, target, `data.pairs[${String(index)}].target`);
  await checkEndpoints(services, pairs, (index) => `data.pairs[${String(index)}].endpoint`);
}

async function checkEndpoints(
  { store }: AcceptServices,
  pairs: readonly Pair[],
  fieldOf: (index: number) => string,
): Promise<void> {
  const placements = await store.loadMany(
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
    if (placement.claim !== undefined) {
      throw new Refused({
        code: 'endpoint-moving',
        field,
        sentence: `${endpoint} is being moved already, by ${placement.claim.move}`,
        cure: `wait for it (dray move show ${placement.claim.move}), then ask again`,
      });
    }
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
