import type { Selection } from '../../domain/batch.ts';
import type { Placement } from '../../domain/placement.ts';
import { Ground } from '../../domain/planning/ground.ts';
import { planOn } from '../../domain/planning/make-plan.ts';
import type { Plan } from '../../domain/planning/plan.ts';
import { planHostOf, seatOf, type PlanHost } from '../../domain/planning/snapshot.ts';
import { loadReadable } from '../each-apart.ts';
import { namesIn } from '../planning/selection.ts';
import type { Services } from '../services.ts';
import { Refused } from './record-request.ts';

type ProspectServices = Pick<Services, 'store' | 'views'> & Partial<Pick<Services, 'log'>>;
type Of<K extends Selection['kind']> = Extract<Selection, { readonly kind: K }>;

/** Of more endpoints than this nobody waits for an answer: what cannot move is told when it is planned. */
const mostEndpoints = 100;
/** Most requests are found to have a way on the first of these. */
const hostsAtOnce = 50;

/** @throws Refused when there is something on the host, and none of it can be moved */
export async function assertProspectOfHost(
  services: ProspectServices,
  selection: Of<'host' | 'relieve'>,
  field: string,
): Promise<void> {
  const { items, cursor } = await services.views.endpointsOn(selection.host);
  if (cursor !== undefined || items.length > mostEndpoints) return;
  const placements = await loadReadable(
    services,
    'endpoint',
    items.map((endpoint) => ({ endpoint })),
  );
  await assertProspect(services, selection, placements.filter(isRecord), field);
}

/** @throws Refused when none of the endpoints can be moved */
export async function assertProspectOfNamed(
  services: ProspectServices,
  selection: Of<'endpoints' | 'pairs'>,
  field: string,
): Promise<void> {
  const names = namesIn(selection);
  if (names.length > mostEndpoints) return;
  const placements = await services.store.loadMany(
    'endpoint',
    names.map((endpoint) => ({ endpoint })),
  );
  await assertProspect(services, selection, placements.filter(isRecord), field);
}

/**
 * Looks at the hosts, some at a time, until one of them may take something. What else is stored on them is not
 * looked at: a request that is refused here could move nothing on an empty fleet either.
 */
async function assertProspect(
  { store, views, ...rest }: ProspectServices,
  selection: Selection,
  placements: readonly Placement[],
  field: string,
): Promise<void> {
  const seats = placements.map((placement) => seatOf(placement));
  const hosts: PlanHost[] = [];
  let plan: Plan | undefined;
  let cursor: string | undefined;
  do {
    const page = await views.hosts(cursor);
    for (let at = 0; at < page.items.length; at += hostsAtOnce) {
      const rows = await loadReadable(
        { store, ...rest },
        'host',
        page.items.slice(at, at + hostsAtOnce).map((name) => ({ name })),
      );
      for (const host of rows) if (host !== undefined && host !== 'unreadable') hosts.push(planHostOf(host));
      plan = planOn(new Ground({ hosts, seats }), selection);
      if (plan.moves.length > 0) return;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  const [first] = plan?.unplaced ?? [];
  // What another move takes away is no reason to say no.
  if (
    plan === undefined ||
    first === undefined ||
    plan.unplaced.some(({ failure }) => failure.code === 'endpoint-moving')
  )
    return;
  const others = plan.unplaced.length - 1;
  const more = others === 0 ? '' : `; so it is with ${String(others)} more`;
  throw new Refused({ ...first.failure, field, sentence: `${first.failure.sentence}${more}` });
}

const isRecord = (row: Placement | 'unreadable' | undefined): row is Placement =>
  row !== undefined && row !== 'unreadable';
