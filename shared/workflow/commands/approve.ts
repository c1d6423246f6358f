import type { Hold } from '../../domain/pause.ts';
import type { BatchId } from '../../domain/ids.ts';
import { Refused } from '../requests/record-request.ts';
import type { Services } from '../services.ts';
import { changeBatch } from './subjects.ts';

/**
 * Approves of a batch that asks for it; the first approval stands.
 * @throws Refused `approval-not-asked`, `approval-by-author`, or as `changeBatch`
 */
export async function approve(
  services: Pick<Services, 'store' | 'bus'>,
  id: BatchId,
  by: Hold,
): Promise<void> {
  await changeBatch(services, id, (batch) => {
    if (batch.policy.approval !== 'required') {
      throw new Refused({
        code: 'approval-not-asked',
        field: 'data.batch',
        sentence: `batch ${id} goes without an approval`,
        cure: 'nothing to do; a batch that needs one says so in its policy.approval',
      });
    }
    if (by.by === batch.requestSource) {
      throw new Refused({
        code: 'approval-by-author',
        field: 'source',
        sentence: `${by.by} has asked for batch ${id}, and cannot approve of it`,
        cure: 'have somebody else approve of it, under a source of their own',
      });
    }
    return batch.approved === undefined ? { ...batch, approved: by } : batch;
  });
  await services.bus.sendDispatch({});
}
