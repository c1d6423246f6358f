import type { Hold } from '../../domain/pause.ts';
import type { BatchId } from '../../domain/ids.ts';
import type { Services } from '../services.ts';
import { changeBatch } from './subjects.ts';

/** Lets a batch begin that waits to be started, or for its time; the first word stands. @throws as `changeBatch` */
export async function start(services: Pick<Services, 'store' | 'bus'>, id: BatchId, by: Hold): Promise<void> {
  await changeBatch(services, id, (batch) =>
    batch.started === undefined ? { ...batch, started: by } : batch,
  );
  await services.bus.sendDispatch({});
}
