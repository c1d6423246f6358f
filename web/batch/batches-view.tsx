import { batchInList } from '../../shared/contracts/api/batches.ts';
import { useFeed } from '../api/feed.ts';
import { View } from '../parts/view.tsx';
import { BatchList } from './batch-list.tsx';

/** One page of the API. */
const most = 500;

export function BatchesView() {
  const { reading } = useFeed('batches', () => ({
    read: (api) => api.list('/batches', 'batches', batchInList, {}, 1),
    everyMs: () => 3_000,
  }));
  return (
    <View title="Batches" reading={reading}>
      {(batches) => {
        const open = batches.filter(({ state }) => state !== 'completed');
        const over = batches.filter(({ state }) => state === 'completed');
        return (
          <>
            <section class="panel" aria-labelledby="open">
              <h2 id="open">Under way</h2>
              {open.length === 0 ? <p class="faint">None.</p> : <BatchList batches={open} />}
            </section>
            <section class="panel" aria-labelledby="over">
              <h2 id="over">Over</h2>
              {over.length === 0 ? <p class="faint">None.</p> : <BatchList batches={over} />}
              {batches.length < most ? null : (
                <p class="faint">Of all batches, the latest {String(most)} are here.</p>
              )}
            </section>
          </>
        );
      }}
    </View>
  );
}
