import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RecordKind, Records, Store } from '../../shared/ports/store.ts';
import { anyRecord, recordKinds } from '../support/arbitraries.ts';
import { sample } from '../support/samples.ts';
import { subjects, type TablePorts } from '../support/store-subjects.ts';

describe.each(subjects)('the store on $name', ({ open, runs }) => {
  let ports: TablePorts;
  let store: Store;
  beforeAll(async () => {
    ports = await open();
    ({ store } = ports);
  });
  afterAll(async () => {
    await ports.close();
  });

  test.each(recordKinds)('gives back a %s as it was inserted, with version 1', async (kind) => {
    await inserts(kind);
  });

  async function inserts<K extends RecordKind>(kind: K): Promise<void> {
    await fc.assert(
      fc.asyncProperty(anyRecord[kind], async (record) => {
        await clear(kind, record);
        expect(await store.insert(kind, record)).toBe('inserted');
        expect(await store.load(kind, record)).toEqual({ ...record, version: 1 });
        expect(await store.insert(kind, record)).toBe('exists');
      }),
      { numRuns: runs },
    );
  }

  test.each(recordKinds)('turns a %s into any other of the same key by a commit', async (kind) => {
    await commits(kind);
  });

  async function commits<K extends RecordKind>(kind: K): Promise<void> {
    await fc.assert(
      fc.asyncProperty(anyRecord[kind], anyRecord[kind], async (record, other) => {
        await clear(kind, record);
        expect(await store.insert(kind, record)).toBe('inserted');
        const before: Records[K] = { ...record, version: 1 };
        const after = { ...other, ...identityOf(kind, record) };
        const answer = await store.commit(kind, before, after);
        expect(answer.kind).toBe('committed');
        const found = await store.load(kind, record);
        expect(found).toEqual({ ...after, ...untouchedBy(kind, before), version: 2 });
        expect(await store.commit(kind, before, after)).toEqual({ kind: 'conflict' });
        expect(await store.load(kind, record)).toEqual(found);
      }),
      { numRuns: runs },
    );
  }

  /** Short keys come twice by chance, and of some kinds there is but one record. */
  async function clear<K extends RecordKind>(kind: K, record: Records[K]): Promise<void> {
    const held = await store.load(kind, record);
    if (held !== undefined) await store.remove(kind, held);
  }

  test('finds nothing where nothing is', async () => {
    expect(await store.load('endpoint', sample('endpoint'))).toBeUndefined();
  });

  test('loads many in the order asked for, with gaps where nothing is, and one key twice', async () => {
    const placements = Array.from({ length: 130 }, () => sample('endpoint'));
    const absent = placements.splice(7, 1);
    await Promise.all(placements.map(async (each) => await store.insert('endpoint', each)));
    const keys = [...placements, ...absent, ...placements.slice(0, 2)];
    const found = await store.loadMany('endpoint', keys);
    expect(found.map((each) => each?.endpoint)).toEqual([
      ...placements.map(({ endpoint }) => endpoint),
      undefined,
      ...placements.slice(0, 2).map(({ endpoint }) => endpoint),
    ]);
  });

  test('refuses a commit and a removal of what is not there', async () => {
    const host = sample('host');
    expect(await store.commit('host', host, { ...host, zone: 'b' })).toEqual({ kind: 'conflict' });
    expect(await store.commitAlone('host', host, { ...host, zone: 'b' })).toEqual({ kind: 'conflict' });
    expect(await store.load('host', host)).toBeUndefined();
  });

  test('lets exactly one of several commits on one version win, whichever way they are sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }), async (alone) => {
        const placement = sample('endpoint');
        await store.insert('endpoint', placement);
        const answers = await Promise.all(
          alone.map(async (single, index) => {
            const after = { ...placement, database: `db${String(index)}` };
            return single
              ? await store.commitAlone('endpoint', placement, after)
              : await store.commit('endpoint', placement, after);
          }),
        );
        const winners = answers.flatMap((answer) => (answer.kind === 'committed' ? [answer.record] : []));
        expect(winners).toHaveLength(1);
        expect(answers.filter(({ kind }) => kind === 'conflict')).toHaveLength(alone.length - 1);
        expect(await store.load('endpoint', placement)).toEqual(winners[0]);
      }),
      { numRuns: runs },
    );
  });

  test('answers each of sixty commits of one moment for itself', async () => {
    const moves = Array.from({ length: 60 }, () => sample('move'));
    await Promise.all(moves.map(async (move) => await store.insert('move', move)));
    const stale = new Set(moves.filter((_, index) => index % 7 === 0));
    await Promise.all(
      [...stale].map(
        async (move) => await store.commit('move', move, { ...move, why: 'another was faster' }),
      ),
    );
    const answers = await Promise.all(
      moves.map(async (move) => await store.commit('move', move, { ...move, why: 'mine' })),
    );
    expect(answers.map(({ kind }) => kind)).toEqual(
      moves.map((move) => (stale.has(move) ? 'conflict' : 'committed')),
    );
    const found = await store.loadMany('move', moves);
    expect(found.map((move) => move?.why)).toEqual(
      moves.map((move) => (stale.has(move) ? 'another was faster' : 'mine')),
    );
  });

  test('keeps commits of one row that follow each other', async () => {
    let batch = { ...sample('batch'), planned: 0 };
    await store.insert('batch', batch);
    for (let planned = 1; planned <= 5; planned += 1) {
      const answer = await store.commit('batch', batch, { ...batch, planned });
      if (answer.kind !== 'committed') throw new RangeError('the commit was refused');
      batch = answer.record;
    }
    expect(await store.load('batch', batch)).toMatchObject({ planned: 5, version: 6 });
  });

  test('removes a record of the version that was read, and no other', async () => {
    const record = sample('cleanup');
    await store.insert('cleanup', record);
    const answer = await store.commit('cleanup', record, { ...record, items: [] });
    expect(await store.remove('cleanup', record)).toBe('conflict');
    if (answer.kind !== 'committed') throw new RangeError('the commit was refused');
    expect(await store.remove('cleanup', answer.record)).toBe('removed');
    expect(await store.load('cleanup', record)).toBeUndefined();
    expect(await store.remove('cleanup', answer.record)).toBe('removed');
  });

  test('writes nothing that it could not read again', async () => {
    const host = { ...sample('host'), movesOut: -1 };
    await expect(store.insert('host', host)).rejects.toThrow(/movesOut/);
    expect(await store.load('host', host)).toBeUndefined();
  });
});

/** The fields that make up the key of a record. */
function identityOf<K extends RecordKind>(kind: K, record: Records[K]): Partial<Records[K]> {
  const names: Readonly<Record<RecordKind, readonly string[]>> = {
    host: ['name'],
    endpoint: ['endpoint'],
    batch: ['id'],
    move: ['id'],
    request: ['source', 'id'],
    cleanup: ['move', 'run', 'host'],
    letter: ['message'],
    fleet: [],
    news: ['id'],
    pace: [],
    scaler: ['target'],
  };
  return pick(record, names[kind]);
}

/** The fields that a commit leaves alone. */
function untouchedBy<K extends RecordKind>(kind: K, record: Records[K]): Partial<Records[K]> {
  return pick(record, kind === 'host' ? ['permitsOut', 'permitsIn', 'reserved'] : []);
}

function pick<T extends object>(from: T, names: readonly string[]): Partial<T> {
  const picked: Partial<T> = { ...from };
  for (const name of Object.keys(from)) {
    if (!names.includes(name)) Reflect.deleteProperty(picked, name);
  }
  return picked;
}
