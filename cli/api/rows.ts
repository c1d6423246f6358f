import type * as z from 'zod';
import type { endpointAnswer } from '../../shared/contracts/api/endpoints.ts';
import type { explanationAnswer } from '../../shared/contracts/api/explanations.ts';
import type { historyAnswer } from '../../shared/contracts/api/moves.ts';
import type { requestAnswer } from '../../shared/contracts/api/requests.ts';
import { known } from '../../shared/contracts/api/told.ts';
import type { Explanation } from '../../shared/domain/explain.ts';
import { batchId, endpointName, hostName, moveId, type MoveId } from '../../shared/domain/ids.ts';
import type { Arbitration, Placement } from '../../shared/domain/placement.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { HistoryEntry } from '../../shared/ports/store.ts';

/** What the API answers of endpoints, requests, history and why, as the domain has it; see `told`. */

export function placementOf(answer: z.output<typeof endpointAnswer>): Placement {
  const { endpoint, host, database, driver, epoch, announcedEpoch, sizeBytes, registeredAt, version } =
    answer;
  const { labels, group, zones, paused, resumed, move, lastMove, pin } = answer;
  return {
    ...{ database, driver, epoch, announcedEpoch, sizeBytes, labels, registeredAt, version },
    endpoint: endpointName(endpoint),
    host: hostName(host),
    arbitration: arbitrationOf(answer),
    claims: 0,
    ...known({ group, zones, paused, resumed }),
    ...(move === undefined ? {} : { claim: { move: moveId(move), firstToken: 0 } }),
    ...(lastMove === undefined ? {} : { lastMove: moveId(lastMove) }),
    ...(pin === undefined ? {} : { pin: hostName(pin) }),
  };
}

function arbitrationOf({ state, move, host }: z.output<typeof endpointAnswer>): Arbitration {
  // What does not serve is claimed by a move.
  if (state === 'serving' || move === undefined) return { kind: 'serving' };
  const held = { move: moveId(move), token: 0 };
  return state === 'frozen' || state === 'thawing'
    ? { kind: state, ...held }
    : { kind: state, ...held, from: hostName(host) };
}

/** Whatever its hash is: the API gives every key its own requests, and refuses an id that was used for another one. */
export function requestOf(answer: z.output<typeof requestAnswer>): RequestRecord {
  const { request, source, type, receivedAt } = answer;
  return {
    ...{ source, type, receivedAt },
    id: request,
    bodyHash: '',
    outcome: outcomeOf(answer),
    version: 1,
  };
}

function outcomeOf({
  state,
  batch,
  code = 'unknown',
  sentence = 'nobody has said why',
  cure = 'see docs/errors.md',
  field,
}: z.output<typeof requestAnswer>): RequestRecord['outcome'] {
  switch (state) {
    case 'waiting':
      return { kind: 'pending' };
    case 'accepted':
      return { kind: 'accepted', ...(batch === undefined ? {} : { batch: batchId(batch) }) };
    case 'refused':
      return { kind: 'refused', failure: { code, sentence, cure }, ...known({ field }) };
    default:
      return state satisfies never;
  }
}

/** As the function that explains has put it together. */
export function explanationOf(answer: z.output<typeof explanationAnswer>): Explanation {
  const { subject, sentence, since, eta, blockers, actions } = answer;
  return {
    ...{ subject, sentence, actions },
    ...known({ since, eta }),
    blockers: blockers.map(({ kind, code, on, moves, since: from, cure, examples }) => ({
      ...{ kind, code, on, moves },
      ...known({ since: from, cure }),
      examples: examples.map(moveId),
    })),
  };
}

export function entryOf(move: MoveId, answer: z.output<typeof historyAnswer>): HistoryEntry {
  const { version, at, by, fact, from, to, step, ms, note } = answer;
  return { move, version, at, by, fact, from, to, ...known({ step, ms, note }) };
}
