import { defaultKeepMs, historyRow } from '../../shared/aws/journal.ts';
import { codecs } from '../../shared/aws/layout.ts';
import { countAttribute } from '../../shared/contracts/rows/batch.ts';
import { moveLabels } from '../../shared/domain/move.ts';
import type { Journal } from '../../shared/ports/store.ts';
import type { MemoryTable } from './memory-table.ts';

/** History and display counts in a table in memory. */
export function createMemoryJournal(table: MemoryTable): Journal {
  return {
    async append(entries) {
      for (const entry of entries) {
        const row = historyRow(entry, defaultKeepMs);
        await table.write(row, () => row);
      }
    },
    async count(batch, changes) {
      await table.write(codecs.batch.key({ id: batch }), (row) => {
        if (row === undefined || row['state'] === 'completed') return 'refused';
        const counts = moveLabels.flatMap((label): [string, number][] => {
          const [name, change] = [countAttribute(label), changes[label] ?? 0];
          return change === 0 ? [] : [[name, Number(row[name] ?? 0) + change]];
        });
        return { ...row, ...Object.fromEntries(counts) };
      });
    },
  };
}
