import type { Batch, Selection } from '../../domain/batch.ts';
import type { EventHead } from '../../domain/event.ts';
import { batchIdFrom, type BatchId } from '../../domain/ids.ts';
import { approvalWanted } from '../../domain/news.ts';
import type { BatchPolicy } from '../../domain/policy.ts';
import type { Services } from '../services.ts';
import { tellPeople } from '../tell-people.ts';

export interface BatchOrder {
  readonly reason: string;
  readonly selection: Selection;
  readonly policy: BatchPolicy;
  /** Higher goes first. */
  readonly priority: number;
  /** Epoch milliseconds: when all of it is to have arrived. */
  readonly deadline?: number;
  /** Lines of a manifest that were left out. */
  readonly skipped?: Batch['skipped'];
}

/** The batch that a request makes. */
export const batchIdOf = (
  { chance }: Pick<Services, 'chance'>,
  { source, id }: Pick<EventHead, 'source' | 'id'>,
): BatchId => batchIdFrom(chance.digest('batch', source, id));

export type OpenServices = Pick<Services, 'store' | 'blobs' | 'bus' | 'clock' | 'chance'>;

/** Records a batch and has it planned. The same request makes the same batch, however often. */
export async function openBatch(
  services: OpenServices,
  head: Pick<EventHead, 'source' | 'id' | 'traceparent'>,
  order: BatchOrder,
): Promise<BatchId> {
  const { store, blobs, bus, clock } = services;
  const id = batchIdOf(services, head);
  const batch: Batch = {
    id,
    requestSource: head.source,
    requestId: head.id,
    reason: order.reason,
    selection: await blobs.put(order.selection),
    priority: order.priority,
    policy: order.policy,
    state: 'planning',
    planned: 0,
    counts: {},
    ...(order.deadline === undefined ? {} : { deadline: order.deadline }),
    ...(order.skipped === undefined ? {} : { skipped: order.skipped }),
    ...(head.traceparent === undefined ? {} : { traceparent: head.traceparent }),
    createdAt: clock.now(),
    version: 1,
  };
  await store.insert('batch', batch);
  if (batch.policy.approval === 'required') await tellPeople({ store, clock }, approvalWanted(batch));
  await bus.sendPlan({ batch: id });
  return id;
}
