import { endingId, type Batch } from './batch.ts';
import type { Blocker } from './blockers.ts';
import { healer } from './healing.ts';
import type { BatchId, HostName } from './ids.ts';
import type { Move, MoveLabel } from './move.ts';
import type { News } from './notification.ts';
import type { Plan, Stop, Unplaced } from './planning/plan.ts';
import type { Rule } from './planning/rules.ts';
import { isForWantOfTarget } from './planning/unplaced.ts';

/** A move that cannot go on, nor back, without a person; one for each time. */
export function stuckMove({ id, batch, endpoint, source, target, execution }: Move): News | undefined {
  const { status } = execution;
  if (status.state !== 'stuck') return undefined;
  const { code, sentence, cure } = status.reason;
  const doing = status.direction === 'back' ? `undoing ${status.step}` : status.step;
  return {
    id: `${id}:stuck:${String(status.endedAt)}`,
    kind: 'move-stuck',
    subject: `the move of ${endpoint} from ${source} to ${target} is stuck`,
    what: `The move of ${endpoint} from ${source} to ${target} has stopped in ${doing}, and goes neither on nor back by itself.`,
    why: [`${sentence} (${code})`],
    next: [cure, `dray explain ${endpoint}`, `dray move show ${id}`],
    about: { move: id, batch, endpoint, source, target, step: status.step, code },
  };
}

/** A host that has failed is emptied without anybody asking. @param signals why it counts as failed */
export function begunHealing(
  host: HostName,
  batch: BatchId,
  signals: readonly string[],
  endpoints: number,
): News {
  const these = endpoints === 1 ? 'The endpoint' : `The ${String(endpoints)} endpoints`;
  return {
    id: `${batch}:healing`,
    kind: 'healing-begun',
    subject: `${host} has failed and is being emptied`,
    what: `Host ${host} has failed and did not recover in time. ${these} on it that nobody moves yet ${endpoints === 1 ? 'is' : 'are'} being moved away.`,
    why: signals.map((signal) => `${host}: ${signal}`),
    next: [
      `dray batch watch ${batch}`,
      `dray explain ${host}`,
      `if ${host} is well: dray host recover ${host}`,
      'to have no more hosts emptied by themselves: dray knob healing off --reason …',
    ],
    about: { host, batch, endpoints },
  };
}

/** A batch of which nothing begins before somebody other than its author has approved of it. */
export function approvalWanted({ id, reason, requestSource }: Batch): News {
  return {
    id: `${id}:approval`,
    kind: 'approval-wanted',
    subject: `batch ${id} waits for an approval`,
    what: `Batch ${id} (${reason}), asked for by ${requestSource}, waits for the approval of somebody else.`,
    why: [],
    next: [
      `dray batch show ${id}`,
      `dray batch approve ${id} --reason …`,
      `dray batch cancel ${id} --reason …`,
    ],
    about: { batch: id, author: requestSource },
  };
}

/** What each rule says of a host, in a list. */
const ruleTexts: Readonly<Record<Rule, string>> = {
  cordoned: 'cordoned',
  draining: 'draining',
  retired: 'retired',
  failed: 'failed',
  engine: 'of another engine',
  version: 'of an older version',
  zones: 'outside its zones',
  pin: 'not where it is pinned',
  group: 'another of its group is there',
  'group-zone': 'another of its group is in the zone',
  room: 'too little room',
  share: 'would be filled up itself',
};

/**
 * A host that cannot be emptied as the fleet is now, because some of what is on it has nowhere to go.
 * @returns undefined when all of it has
 */
export function infeasibleDrain(
  { id, reason }: Batch,
  host: HostName,
  { moves, unplaced }: Plan,
): News | undefined {
  const stay = unplaced.filter(({ failure }) => isForWantOfTarget(failure));
  if (stay.length === 0) return undefined;
  const total = moves.length + unplaced.length;
  const rules = rulesThatStop(stay);
  const pinned = stay.filter(({ stops }) => stops.length === 0).length;
  return {
    id: `${id}:infeasible`,
    kind: 'drain-infeasible',
    subject: `${host} cannot be emptied: ${String(stay.length)} of ${String(total)} endpoints have nowhere to go`,
    what: `Of the ${String(total)} endpoints on ${host} (batch ${id}, ${reason}) ${String(stay.length)} ${stay.length === 1 ? 'has' : 'have'} no host that may take ${stay.length === 1 ? 'it' : 'them'}, as the fleet is now. The others are moved.`,
    why: [
      ...rules.map(
        ({ rule, endpoints, hosts, examples }) =>
          `${String(endpoints)}: ${ruleTexts[rule]}, on up to ${String(hosts)} ${hosts === 1 ? 'host' : 'hosts'} (${examples.join(', ')})`,
      ),
      ...(pinned === 0 ? [] : [`${String(pinned)}: pinned to ${host}, or there is no other host`]),
      ...stay.slice(0, fewExamples).map(({ failure }) => failure.sentence),
      ...(stay.length > fewExamples ? [`and ${String(stay.length - fewExamples)} endpoints more`] : []),
    ],
    next: [
      ...new Set(stay.slice(0, fewExamples).map(({ failure }) => failure.cure)),
      `to see all of it: dray plan drain ${host}`,
      `and then, once this batch is completed: dray batch retry ${id} --reason …`,
    ],
    about: {
      batch: id,
      host,
      unplaced: stay.length,
      total,
      ...Object.fromEntries(rules.map(({ rule, endpoints }) => [rule, endpoints])),
    },
  };
}

/** Which rules stop how many of them, and on how many hosts at most; that which stops most first. */
function rulesThatStop(stay: readonly Unplaced[]): readonly (Stop & { readonly endpoints: number })[] {
  const found = new Map<Rule, Stop & { readonly endpoints: number }>();
  for (const stop of stay.flatMap(({ stops }) => stops)) {
    const known = found.get(stop.rule);
    const endpoints = (known?.endpoints ?? 0) + 1;
    found.set(stop.rule, { ...(known === undefined || known.hosts < stop.hosts ? stop : known), endpoints });
  }
  return [...found.values()].sort(
    (one, other) =>
      other.endpoints - one.endpoints || other.hosts - one.hosts || (one.rule < other.rule ? -1 : 1),
  );
}

const fewExamples = 3;
const fewReasons = 5;

/** A batch in which nothing is left to do. @param ended what has ended its moves otherwise than asked for */
export function finishedBatch(
  batch: Batch,
  counts: Readonly<Partial<Record<MoveLabel, number>>>,
  ended: readonly Blocker[],
): News {
  const { id, requestSource, reason, failure, unknown, skipped } = batch;
  const of = (...labels: readonly MoveLabel[]): number =>
    labels.reduce((sum, label) => sum + (counts[label] ?? 0), 0);
  const [moved, back, stuck] = [of('moved', 'retired'), of('rolled-back'), of('stuck')];
  const left = (unknown?.count ?? 0) + (skipped?.lines ?? 0);
  const total = moved + back + stuck;
  const isWhole = moved === total && left === 0 && failure === undefined;
  return {
    id: endingId(batch),
    kind: requestSource === healer ? 'healing-ended' : 'batch-finished',
    subject: `batch ${id} is finished: ${isWhole ? `all ${String(total)} moved` : `${String(moved)} of ${String(total)} moved`}`,
    what: [
      `Batch ${id} (${reason}) is finished: ${String(moved)} of ${String(total)} endpoints moved`,
      ...(back === 0 ? [] : [`${String(back)} stayed where ${back === 1 ? 'it was' : 'they were'}`]),
      ...(stuck === 0 ? [] : [`${String(stuck)} ${stuck === 1 ? 'is' : 'are'} stuck`]),
    ]
      .join(', ')
      .concat('.'),
    why: [
      ...(failure === undefined ? [] : [`${failure.sentence} (${failure.code}); ${failure.cure}`]),
      ...ended.slice(0, fewReasons).map(reasonLine),
      ...(ended.length > fewReasons ? [`and ${String(ended.length - fewReasons)} reasons more`] : []),
      ...(unknown === undefined ? [] : [`${String(unknown.count)}: not registered, or not readable`]),
      ...(skipped === undefined ? [] : [`${String(skipped.lines)}: lines of the manifest that were wrong`]),
    ],
    next: isWhole
      ? [`nothing; to look at it: dray batch show ${id}`]
      : [
          `dray batch show ${id}`,
          ...ended
            .slice(0, 3)
            .flatMap(({ examples: [first] }) => (first === undefined ? [] : [`dray explain ${first}`])),
        ],
    about: { batch: id, moved, rolledBack: back, stuck, left },
  };
}

const reasonLine = ({ moves, on, code, cure }: Blocker): string =>
  `${String(moves)}: ${on} (${code})${cure === undefined ? '' : `; ${cure}`}`;
