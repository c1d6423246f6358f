import { describe, expect, test } from '@jest/globals';
import { moveId } from '../../shared/domain/ids.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { openMeteredTable } from '../support/metered-table.ts';
import { sample } from '../support/samples.ts';

describe('a table that throttles a hot key', () => {
  test('gets every write in the end, each once, and holds nobody else up for ever', async () => {
    const { store, meter, close } = await openMeteredTable(10, { tries: 60, baseMs: 50, capMs: 400 });
    try {
      const hot = moveId(`mv_${'h'.repeat(16)}`);
      const records = Array.from({ length: 60 }, () => ({ ...sample('cleanup'), move: hot }));
      const others = Array.from({ length: 10 }, () => sample('request'));
      const answers = await Promise.all([
        ...records.map(async (record) => await store.insert('cleanup', record)),
        ...others.map(async (request) => await store.insert('request', request)),
      ]);
      expect(new Set(answers)).toEqual(new Set(['inserted']));
      expect(meter.use()['metered']?.throttled).toBeGreaterThan(0);
      expect(await store.loadMany('cleanup', records)).toEqual(records);
    } finally {
      await close();
    }
  });

  test('is unavailable to those who have waited long enough, and to no one else', async () => {
    const { store, close } = await openMeteredTable(2, { tries: 2, baseMs: 1, capMs: 2 });
    try {
      const hot = moveId(`mv_${'h'.repeat(16)}`);
      const some = (length: number) => Array.from({ length }, () => ({ ...sample('cleanup'), move: hot }));
      // All of one moment: they are let in together, and leave the key with a debt of ten seconds.
      await Promise.all(some(25).map(async (record) => await store.insert('cleanup', record)));
      const records = some(25);
      const request = sample('request');
      const [other, ...answers] = await Promise.allSettled([
        store.insert('request', request),
        ...records.map(async (record) => await store.insert('cleanup', record)),
      ]);
      expect(other).toEqual({ status: 'fulfilled', value: 'inserted' });
      const refused = answers.filter((answer) => answer.status === 'rejected');
      expect(refused.length).toBeGreaterThan(20);
      for (const { reason } of refused) expect(reason).toBeInstanceOf(StoreUnavailable);
    } finally {
      await close();
    }
  });
});
