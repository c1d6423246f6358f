import { codecs, toRow } from '../../shared/aws/layout.ts';
import { changeBetween, nextOf } from '../../shared/aws/row-change.ts';
import type { Row } from '../../shared/contracts/rows/row.ts';
import type { Chance } from '../../shared/ports/clock.ts';
import type { RecordKind, Records, Store } from '../../shared/ports/store.ts';
import { AnswerLost, type MemoryTable } from './memory-table.ts';

/** The store over a table in memory: the same rows, the same answers, and those failures that the table is told to have. */
export function createMemoryStore(table: MemoryTable, { chance }: { readonly chance: Chance }): Store {
  const load: Store['load'] = async (kind, key) => {
    const row = await table.read(codecs[kind].key(key));
    return row === undefined ? undefined : readRecord(kind, row);
  };

  async function write<K extends RecordKind>(kind: K, before: Records[K], after: Records[K]) {
    const commitId = chance.unique();
    const record = nextOf(kind, before, after);
    const { set, remove } = changeBetween(kind, before, record, commitId);
    const key = codecs[kind].key(before);
    const answer = await table.write(key, (row) => {
      if (row?.['version'] !== before.version) return 'refused';
      const gone = Object.fromEntries(remove.map((name) => [name, undefined]));
      return { ...row, ...gone, ...Object.fromEntries(set) };
    });
    return answer === 'done' ? ({ kind: 'committed', record } as const) : ({ kind: 'conflict' } as const);
  }

  return {
    load,
    loadMany: async (kind, keys) => await Promise.all(keys.map(async (key) => await load(kind, key))),
    async insert(kind, record) {
      const row: Row = { ...toRow(kind, { ...record, version: 1 }), commitId: chance.unique() };
      return (await table.write(row, (found) => (found === undefined ? row : 'refused'))) === 'done'
        ? 'inserted'
        : 'exists';
    },
    commit: write,
    async commitAlone(kind, before, after) {
      try {
        return await write(kind, before, after);
      } catch (error) {
        if (error instanceof AnswerLost) return { kind: 'unknown' };
        throw error;
      }
    },
    async remove(kind, record) {
      const answer = await table.write(codecs[kind].key(record), (row) =>
        row === undefined || row['version'] === record.version ? 'gone' : 'refused',
      );
      return answer === 'done' ? 'removed' : 'conflict';
    },
  };
}

const read: { readonly [K in RecordKind]: WeakMap<Row, Records[K]> } = {
  host: new WeakMap(),
  endpoint: new WeakMap(),
  batch: new WeakMap(),
  move: new WeakMap(),
  request: new WeakMap(),
  cleanup: new WeakMap(),
  letter: new WeakMap(),
  fleet: new WeakMap(),
  news: new WeakMap(),
  pace: new WeakMap(),
  scaler: new WeakMap(),
};

/** The record in a row of a table in memory. Each row is read once: neither rows nor records ever change. */
export function readRecord<K extends RecordKind>(kind: K, row: Row): Records[K] {
  const cache: WeakMap<Row, Records[K]> = read[kind];
  const known = cache.get(row);
  if (known !== undefined) return known;
  const record = codecs[kind].decode(row);
  cache.set(row, record);
  return record;
}
