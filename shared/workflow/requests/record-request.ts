import type { ClaimCheck } from '../../domain/batch.ts';
import type { EventHead, Refusal } from '../../domain/event.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { BatchId } from '../../domain/ids.ts';
import { besideId, type RequestRecord } from '../../domain/request.ts';
import { placeOfRequest, publisherOf } from '../../domain/trace.ts';
import type { OpenSpan, SpanHead } from '../../ports/tracer.ts';
import type { Services } from '../services.ts';
import { batchIdOf } from './open-batch.ts';

export type RequestServices = Pick<Services, 'store' | 'clock' | 'chance' | 'log' | 'tracer'>;

/** A request, and why it was made where it says so. */
type Asked = EventHead & Pick<RequestRecord, 'reason'>;

/** Thrown while a request is carried out: it is refused, for good, and nothing of it was done. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.sentence}`);
    this.refusal = refusal;
  }
}

/**
 * Carries out a request once, however often it arrives, and keeps what became of it under its publisher's
 * source and id. The same id with another body is refused, and kept beside the first.
 *
 * @param carryOut idempotent: called again when an earlier delivery died in it
 */
export async function recordRequest(
  services: RequestServices,
  head: Asked,
  carryOut: () => Promise<{ readonly batch?: BatchId }>,
): Promise<void> {
  const row = await openRow(services, head);
  if (row.outcome.kind !== 'pending') return;
  await services.tracer.during(spanOf(services, head, row), async (span) => {
    const outcome = row.id === head.id ? await outcomeOf(carryOut) : refusedWith(reused(head));
    await close(services, { row, outcome, span });
  });
}

/**
 * Keeps a refusal where an operator can see it, and leaves alone what else has its id.
 * @param report more than the refusal itself can say
 */
export async function recordRefusal(
  services: RequestServices,
  head: EventHead,
  refusal: Refusal,
  report?: ClaimCheck,
): Promise<void> {
  const row = await openRow(services, head);
  if (row.outcome.kind === 'pending')
    await services.tracer.during(spanOf(services, head, row), async (span) => {
      await close(services, { row, outcome: refusedWith(refusal), span }, report);
    });
}

/** The root of all that follows from it; what has come under an id that is taken makes nothing. */
function spanOf({ chance, log }: RequestServices, head: Asked, { id }: RequestRecord): SpanHead {
  const { source, type, traceparent } = head;
  const root = placeOfRequest({
    id: batchIdOf({ chance }, head),
    ...(traceparent === undefined ? {} : { traceparent }),
  });
  const publisher = publisherOf({ traceparent });
  if (head.traceUnreadable === true)
    log.warn("the event's traceparent is none, and was passed over", { source, request: head.id });
  return {
    name: `request ${type}`,
    facts: { 'drayage.source': source, 'drayage.request': id, 'drayage.type': type },
    ...(id === head.id
      ? { at: root, ...(publisher === undefined ? {} : { partOf: publisher }) }
      : { partOf: root }),
  };
}

/** Is it kept that this request, with this body, was refused? */
export async function wasRefused(
  { store }: Pick<Services, 'store'>,
  head: Pick<EventHead, 'source' | 'id' | 'bodyHash' | 'textHash'>,
): Promise<boolean> {
  const rows = await store.loadMany(
    'request',
    [head.id, besideId(head)].map((id) => ({ source: head.source, id })),
  );
  return rows.some((row) => row !== undefined && isOf(row, head) && row.outcome.kind === 'refused');
}

/** Is it the row of this request? One that was posted is known by the text that is published for it. */
const isOf = ({ bodyHash, posted }: RequestRecord, head: Pick<EventHead, 'bodyHash' | 'textHash'>): boolean =>
  bodyHash === (posted === undefined ? head.bodyHash : head.textHash);

/** The row of this request, and of no other: under its id, or beside the request that has taken it. */
async function openRow({ store, clock }: RequestServices, head: Asked): Promise<RequestRecord> {
  const { source, type, bodyHash, reason, traceparent } = head;
  let { id } = head;
  for (;;) {
    const held = await store.load('request', { source, id });
    if (held !== undefined) {
      if (isOf(held, head) || id !== head.id) return held;
      id = besideId(head);
      continue;
    }
    const row: RequestRecord = {
      source,
      id,
      type,
      bodyHash,
      ...(reason === undefined ? {} : { reason }),
      ...(traceparent === undefined ? {} : { traceparent }),
      outcome: { kind: 'pending' },
      receivedAt: clock.now(),
      version: 1,
    };
    if ((await store.insert('request', row)) === 'inserted') return row;
  }
}

async function outcomeOf(
  carryOut: () => Promise<{ readonly batch?: BatchId }>,
): Promise<RequestRecord['outcome']> {
  try {
    return { kind: 'accepted', ...(await carryOut()) };
  } catch (error) {
    if (error instanceof Refused) return refusedWith(error.refusal);
    // A host that is wrong for good refuses the request; anything else is tried again with the message.
    if (error instanceof StepFailure && error.verdict !== 'throttled') return refusedWith(error.failure);
    throw error;
  }
}

function refusedWith({ field, ...failure }: Refusal): RequestRecord['outcome'] {
  return { kind: 'refused', failure, ...(field === undefined ? {} : { field }) };
}

interface Closing {
  readonly row: RequestRecord;
  readonly outcome: RequestRecord['outcome'];
  readonly span: OpenSpan;
}

async function close(
  services: RequestServices,
  { row, outcome, span }: Closing,
  report?: ClaimCheck,
): Promise<void> {
  span.add({ 'drayage.outcome': outcome.kind });
  if (outcome.kind === 'accepted' && outcome.batch !== undefined)
    span.add({ 'drayage.batch': outcome.batch });
  if (outcome.kind === 'refused') span.fail(outcome.failure.code);
  // A conflict: another delivery of the same request has closed it, the same way.
  await services.store.commit('request', row, {
    ...row,
    outcome,
    ...(report === undefined ? {} : { report }),
  });
  services.log.info('request', { source: row.source, request: row.id, type: row.type, outcome });
}

function reused(head: EventHead): Refusal {
  return {
    code: 'request-id-reused',
    field: 'id',
    sentence: `a request ${head.id} of ${head.source} with another body has been received before`,
    cure: 'give every request an id of its own; repeat one only with the same body',
  };
}
