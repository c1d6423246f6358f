import * as z from 'zod';
import type { Batch, Pair, Selection } from '../../domain/batch.ts';
import { StepFailure, type Failure } from '../../domain/failure.ts';
import {
  isEndpointName,
  moveIdFrom,
  type BatchId,
  type EndpointName,
  type HostName,
  type MoveId,
} from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import { infeasibleDrain } from '../../domain/news.ts';
import { Ground } from '../../domain/planning/ground.ts';
import { planOn } from '../../domain/planning/make-plan.ts';
import { planHostOf } from '../../domain/planning/snapshot.ts';
import { placeOfBatch } from '../../domain/trace.ts';
import type { PlanMessage } from '../../ports/bus.ts';
import { loadReadable } from '../each-apart.ts';
import type { Invocation, Services } from '../services.ts';
import { tellPeople } from '../tell-people.ts';
import { Course } from './course.ts';
import { loadSnapshot, type LoadedFleet } from './fleet.ts';
import { makeMove } from './make-move.ts';
import { namesIn, readSelection, targetsOf } from './selection.ts';
import { entriesOf, readPlan, storePlan, type PlanEntry } from './stored-plan.ts';

export type PlanServices = Pick<
  Services,
  'store' | 'permits' | 'views' | 'blobs' | 'bus' | 'clock' | 'chance' | 'log' | 'tracer'
>;

/** Endpoints between two records of how far planning has come. */
const pageSize = 25;

/** A host is looked at again by a page when what is known of it is older. */
const knownForMs = 1_000;

/**
 * Makes one move per selected endpoint. The whole plan is made once and stored; then its moves are made page by page:
 * what one invocation has not done, the next goes on with. Every id is derived, so that a page that is done again makes
 * the same moves.
 */
export async function planBatch(
  services: PlanServices,
  message: PlanMessage,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<void> {
  const found = await services.store.load('batch', { id: message.batch });
  if (found?.state !== 'planning' || found.cancelled !== undefined) return;
  const facts = { 'drayage.batch': found.id };
  await services.tracer.during({ name: 'plan', partOf: placeOfBatch(found), facts }, async (span) => {
    const planned = await goOn(services, found, invocation);
    span.add({ 'drayage.planned': planned });
  });
}

/** @returns how many of its endpoints have a move now */
async function goOn(
  services: PlanServices,
  found: Batch,
  invocation: Pick<Invocation, 'remainingMs'>,
): Promise<number> {
  const begun = await readOrEnd(services, found);
  if (begun === undefined) return found.planned;
  const { entries } = begun;
  let { batch } = begun;
  while (batch.planned < entries.length) {
    if (invocation.remainingMs() <= 0) {
      await services.bus.sendPlan({ batch: batch.id });
      return batch.planned;
    }
    const page = entries.slice(batch.planned, batch.planned + pageSize);
    if (!(await planPage(services, { ...begun, batch }, page))) {
      await services.bus.sendPlan({ batch: batch.id }, 1_000);
      return batch.planned;
    }
    const answer = await services.store.commit('batch', batch, {
      ...batch,
      planned: batch.planned + page.length,
    });
    if (answer.kind === 'conflict') {
      // Another planner, or a person who has said something of the batch: who looks next sees both.
      await services.bus.sendPlan({ batch: batch.id }, 1_000);
      return batch.planned;
    }
    batch = answer.record;
    await services.bus.sendDispatch({});
  }
  const answer = await services.store.commit('batch', batch, { ...batch, state: 'running' });
  if (answer.kind === 'conflict') await services.bus.sendPlan({ batch: batch.id }, 1_000);
  else await services.bus.sendDispatch({ batch: batch.id });
  return batch.planned;
}

interface Begun {
  readonly batch: Batch;
  readonly entries: readonly PlanEntry[];
  readonly course: Course;
  /** What was still to be made of it when this began: the course counts it, made or not. */
  readonly ours: ReadonlySet<MoveId>;
  /** When pages have looked at hosts (epoch milliseconds). */
  readonly lookedAt: Map<HostName, number>;
}

/**
 * What is to be planned. A batch whose selection is gone for good, and of which nothing is planned yet, ends here
 * with the reason: nobody would ever come back to it.
 *
 * @returns undefined when there is nothing to plan, or another planner was faster
 */
async function readOrEnd(services: PlanServices, found: Batch): Promise<Begun | undefined> {
  try {
    return await begin(services, found);
  } catch (error) {
    if (!(error instanceof StepFailure) || error.verdict !== 'fail' || found.planned > 0) throw error;
    await endUnplanned(services, found.id, error.failure);
    return undefined;
  }
}

/** Makes the plan, once, or goes on with the one that was made. */
async function begin(services: PlanServices, batch: Batch): Promise<Begun | undefined> {
  const selection = await readSelection(services, batch.selection);
  const names = await resolvedNames(services, batch);
  const before = new Set(names.slice(batch.planned).map((name) => moveIdOf(services, batch, name)));
  const fleet = await loadSnapshot(
    services,
    batch.resolved === undefined ? namesIn(selection) : names,
    before,
  );
  const ground = new Ground(fleet);
  if (batch.plan !== undefined) {
    const entries = await readPlan(services, batch.plan, names);
    Course.settle(ground, entries.slice(batch.planned));
    return { batch, entries, course: new Course(ground, selection), ours: before, lookedAt: new Map() };
  }
  const plan = planOn(ground, batch.resolved === undefined ? selection : listed(selection, names));
  const entries = batch.resolved === undefined ? entriesOf(plan) : inOrder(entriesOf(plan), names);
  // Before the plan stands: whoever dies in between makes it again, and tells it under the same id.
  if (selection.kind === 'host') {
    const news = infeasibleDrain(batch, selection.host, plan);
    if (news !== undefined) await tellPeople(services, news);
  }
  const unknown = [...plan.unknown, ...unreadableIn(fleet, selection)];
  const answer = await services.store.commit('batch', batch, {
    ...batch,
    resolved: await services.blobs.put(entries.map(({ endpoint }) => endpoint)),
    plan: await storePlan(services, entries),
    total: entries.length,
    ...(unknown.length === 0 ? {} : { unknown: { count: unknown.length, examples: unknown.slice(0, 10) } }),
    ...(plan.unmet === undefined ? {} : { unmet: plan.unmet }),
  });
  if (answer.kind === 'conflict') return undefined;
  const ours = new Set(entries.map(({ endpoint }) => moveIdOf(services, batch, endpoint)));
  return { batch: answer.record, entries, course: new Course(ground, selection), ours, lookedAt: new Map() };
}

/** A batch that an earlier release has listed and not planned: its endpoints stay, and so does their order. */
function listed(selection: Selection, names: readonly EndpointName[]): Selection {
  const targetOf = targetsOf(selection);
  const pairs = names.map((endpoint): Pair => {
    const target = targetOf(endpoint);
    return target === undefined ? { endpoint } : { endpoint, target };
  });
  return { kind: 'pairs', pairs };
}

function inOrder(entries: readonly PlanEntry[], names: readonly EndpointName[]): readonly PlanEntry[] {
  const byName = new Map(entries.map((entry) => [entry.endpoint, entry]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** Endpoints that would perhaps be meant, were they to be read. */
function unreadableIn({ unreadable }: LoadedFleet, selection: Selection): EndpointName[] {
  const all = [...unreadable];
  switch (selection.kind) {
    case 'endpoints':
    case 'pairs':
      // The plan has them among the unknown.
      return [];
    case 'host':
    case 'relieve':
      return all.flatMap(([name, host]) => (host === selection.host ? [name] : [])).sort();
    case 'labels':
    case 'where':
    case 'rebalance':
      return all.map(([name]) => name).sort();
    default:
      return selection satisfies never;
  }
}

/** A batch of nothing, with the reason: the dispatcher completes it. */
async function endUnplanned({ store, bus, log }: PlanServices, id: BatchId, failure: Failure): Promise<void> {
  const batch = await store.load('batch', { id });
  if (batch?.state !== 'planning') return;
  const { resolved: _, plan: __, ...rest } = batch;
  const ended: Batch = { ...rest, state: 'running', total: 0, failure };
  if ((await store.commit('batch', batch, ended)).kind === 'conflict') return;
  log.error('batch cannot be planned', { batch: id, ...failure });
  await bus.sendDispatch({ batch: id });
}

/** The endpoints of a batch, in the order of planning. @throws StepFailure when the list is gone or altered */
export async function resolvedNames(
  { blobs }: Pick<Services, 'blobs'>,
  { resolved }: Batch,
): Promise<readonly EndpointName[]> {
  if (resolved === undefined) return [];
  return z
    .array(z.custom<EndpointName>((value) => typeof value === 'string' && isEndpointName(value)))
    .parse(await blobs.get(resolved));
}

/** The move that a batch makes of an endpoint. */
export function moveIdOf(
  { chance }: Pick<Services, 'chance'>,
  batch: Batch,
  endpoint: EndpointName,
): Move['id'] {
  return moveIdFrom(chance.digest('move', batch.id, endpoint));
}

/** @returns false when an endpoint was changed by somebody else meanwhile: the page is planned again */
async function planPage(services: PlanServices, begun: Begun, page: readonly PlanEntry[]): Promise<boolean> {
  const { batch, course } = begun;
  const [placements] = await Promise.all([
    services.store.loadMany(
      'endpoint',
      page.map(({ endpoint }) => ({ endpoint })),
    ),
    refreshTargets(services, begun, page),
  ]);
  const planned = page.flatMap((entry, index) => {
    const placement = placements[index];
    return placement === undefined ? [] : [{ placement, asked: course.askedOf(entry, placement) }];
  });
  const answers = await Promise.all(
    planned.map(({ placement, asked }) =>
      makeMove(services, batch, moveIdOf(services, batch, placement.endpoint), placement, asked),
    ),
  );
  return !answers.includes('changed');
}

/**
 * The hosts of a page as they are now, or were a moment ago: what has been closed or filled since the plan takes nothing.
 * Many pages go to the same hosts, and a full host has a large row.
 */
async function refreshTargets(
  services: PlanServices,
  { course, ours, lookedAt }: Begun,
  page: readonly PlanEntry[],
): Promise<void> {
  const now = services.clock.now();
  const names = [...new Set(page.flatMap(({ to }) => to?.target ?? []))].filter(
    (name) => now - (lookedAt.get(name) ?? -Infinity) >= knownForMs,
  );
  const hosts = await loadReadable(
    services,
    'host',
    names.map((name) => ({ name })),
  );
  for (const [index, name] of names.entries()) {
    const host = hosts[index];
    lookedAt.set(name, now);
    if (host === undefined || host === 'unreadable') course.close(name);
    else course.refresh(planHostOf(host, ours));
  }
}
