import type { Selection } from '../../domain/batch.ts';
import type { EventHead } from '../../domain/event.ts';
import { batchIdFrom, type BatchId } from '../../domain/ids.ts';
import type { MovePolicy } from '../../domain/policy.ts';
import type { Services } from '../services.ts';

export interface BatchOrder {
  readonly reason: string;
  readonly selection: Selection;
  readonly policy: MovePolicy;
  /** Higher goes first. */
  readonly priority: number;
  /** Epoch milliseconds: when all of it is to have arrived. */
  readonly deadline?: number;
}

/** Records a batch and has it planned. The same request makes the same batch, however often. */
export async function openBatch(
  { store, blobs, bus, clock, chance }: Pick<Services, 'store' | 'blobs' | 'bus' | 'clock' | 'chance'>,
  head: EventHead,
  order: BatchOrder,
): Promise<BatchId> {
  const id = batchIdFrom(chance.digest('batch', head.source, head.id));
  await store.insert('batch', {
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
    createdAt: clock.now(),
    version: 1,
  });
  await bus.sendPlan({ batch: id });
  return id;
}
