import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CursorInvalid } from '../../shared/aws/cursor.ts';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { isUnannounced } from '../../shared/domain/placement.ts';
import { shardOf } from '../../shared/domain/shards.ts';
import { pastLane, pastSource } from '../../shared/domain/waiting-order.ts';
import type { HistoryEntry, Page, Store, Views } from '../../shared/ports/store.ts';
import { anyBatchId, anyHostName, anyMoveId } from '../support/arbitraries.ts';
import { sample, sampleOf } from '../support/samples.ts';
import { subjects, type TablePorts } from '../support/store-subjects.ts';

const hourMs = 3_600_000;

describe.each(subjects)('the views on $name', ({ open }) => {
  let ports: TablePorts;
  let store: Store;
  let views: Views;
  beforeAll(async () => {
    ports = await open();
    ({ store, views } = ports);
  });
  afterAll(async () => {
    await ports.close();
  });

  test('list every host and every endpoint once, over many pages', async () => {
    const hosts = Array.from({ length: 7 }, () => sample('host'));
    const placements = Array.from({ length: 40 }, () => sample('endpoint'));
    for (const host of hosts) await store.insert('host', host);
    await Promise.all(placements.map(async (each) => await store.insert('endpoint', each)));
    expect(await all((cursor) => views.hosts(cursor))).toEqual(hosts.map(({ name }) => name).sort());
    const listed = await all((cursor) => views.endpoints(cursor));
    expect(listed.toSorted()).toEqual(placements.map(({ endpoint }) => endpoint).sort());
  });

  test('list the endpoints of a host in order, and follow them to the next', async () => {
    const [from, to] = [hostName('leaving'), hostName('arriving')];
    const placements = Array.from({ length: 8 }, (_, index) => ({
      ...sample('endpoint'),
      endpoint: endpointName(`tenant-${String(index)}`),
      host: from,
    }));
    for (const each of placements) await store.insert('endpoint', each);
    const [first, ...rest] = placements;
    if (first === undefined) throw new RangeError('no placement');
    await store.commit('endpoint', first, { ...first, host: to });
    expect(await all((cursor) => views.endpointsOn(to, cursor))).toEqual([first.endpoint]);
    expect(await all((cursor) => views.endpointsOn(from, cursor))).toEqual(
      rest.map(({ endpoint }) => endpoint),
    );
    expect(await all((cursor) => views.sizesOn(to, cursor))).toEqual([first.sizeBytes]);
    expect(await all((cursor) => views.sizesOn(from, cursor))).toEqual(
      rest.map(({ sizeBytes }) => sizeBytes),
    );
    expect(await all((cursor) => views.endpointsOn(hostName('nobody'), cursor))).toEqual([]);
  });

  test('list the moves of a batch, all or those of one label, which follows what happens to them', async () => {
    const batch = sampleOf(anyBatchId);
    const moves = Array.from({ length: 8 }, (_, index): Move => ({
      ...waitingMove(),
      batch,
      endpoint: endpointName(`e${String(index)}`),
    }));
    for (const move of moves) await store.insert('move', move);
    const [first] = moves;
    if (first === undefined) throw new RangeError('no move');
    await store.commit('move', first, ended(first));
    const retired = [{ id: first.id, label: 'retired' }];
    const waiting = moves.slice(1).map(({ id }) => ({ id, label: 'waiting' }));
    expect(await all((cursor) => views.movesOf(batch, undefined, cursor))).toEqual([...retired, ...waiting]);
    expect(await all((cursor) => views.movesOf(batch, 'retired', cursor))).toEqual(retired);
    expect(await all((cursor) => views.movesOf(batch, 'waiting', cursor))).toEqual(waiting);
    expect(await all((cursor) => views.movesOf(batch, 'rolled-back', cursor))).toEqual([]);
  });

  test('list the moves of an hour, newest last', async () => {
    const hour = 500_000 * hourMs;
    const times = [hour + 5, hour, hour + hourMs - 1, hour + 5, hour + hourMs];
    const moves = times.map((createdAt) => ({ ...sample('move'), createdAt }));
    for (const move of moves) await store.insert('move', move);
    const listed = await all((cursor) => views.movesAt(new Date(hour).toISOString().slice(0, 13), cursor));
    expect(listed).toHaveLength(4);
    expect(listed[0]).toBe(moves[1]?.id);
    expect(listed[3]).toBe(moves[2]?.id);
  });

  test('show waiting moves of a source lane by lane, with what the dispatcher needs; no other moves', async () => {
    const [source, other, near, far] = [
      sampleOf(anyHostName),
      sampleOf(anyHostName),
      hostName('near'),
      hostName('far'),
    ];
    const batch = sampleOf(anyBatchId);
    const ways = [
      [1, near],
      [5, near],
      [5, near],
      [5, far],
      [-3, near],
      [9, near],
    ] as const;
    const moves = ways.map(([priority, target], index): Move => ({
      ...waitingMove(),
      batch,
      source,
      target,
      priority,
      createdAt: 1_000_000 - index,
    }));
    for (const move of moves) await store.insert('move', move);
    const elsewhere = { ...waitingMove(), source: other };
    await store.insert('move', elsewhere);
    await store.insert('move', { ...ended(sample('move')), source });
    const shard = shardOf(source);
    const known = new Set(moves.map(({ id }) => id));
    const waiting = (await views.waiting(shard, '', 500)).filter(({ id }) => known.has(id));
    expect(waiting.map(({ priority, target, createdAt }) => [priority, target, createdAt])).toEqual([
      [9, near, 999_995],
      [5, far, 999_997],
      [5, near, 999_998],
      [5, near, 999_999],
      [1, near, 1_000_000],
      [-3, near, 999_996],
    ]);
    const [first, second] = waiting;
    if (first === undefined || second === undefined) throw new RangeError('no move');
    expect(first).toEqual({
      id: moves[5]?.id,
      batch,
      source,
      target: near,
      priority: 9,
      createdAt: 999_995,
      workflow: moves[5]?.execution.workflow,
      order: first.order,
    });
    expect((await views.waiting(shard, pastLane(first.order), 2)).map(({ target }) => target)).toEqual([
      far,
      near,
    ]);
    const behind = await views.waiting(shard, pastSource(first.order), 500);
    expect(behind.filter(({ source: its }) => its === source)).toEqual([]);
    expect((await views.waiting(shardOf(other), '', 500)).map(({ id }) => id)).toContain(elsewhere.id);
    const loaded = await store.load('move', first);
    if (loaded === undefined) throw new RangeError('no move');
    await store.commit('move', loaded, ended(loaded));
    expect((await views.waiting(shard, '', 500)).map(({ id }) => id)).not.toContain(first.id);
  });

  test('show what is due, and only from its half minute on', async () => {
    const soon = 2_000_000_040_000;
    const inLine = waitingMove(soon - 45_000);
    const move = putOff(waitingMove(soon - 45_000));
    const batch = { ...sample('batch'), state: 'running' as const, createdAt: soon - 5 };
    const placed = { arbitration: { kind: 'serving' as const }, epoch: 4, registeredAt: soon - 5 };
    const told = { ...sample('endpoint'), ...placed, announcedEpoch: 4 };
    const untold = { ...sample('endpoint'), ...placed, announcedEpoch: 3 };
    expect(isUnannounced(untold)).toBe(true);
    await store.insert('move', inLine);
    await store.insert('move', move);
    await store.insert('batch', batch);
    await store.insert('endpoint', told);
    await store.insert('endpoint', untold);
    const { items: before } = await views.due(soon - 1, 10_000);
    const { items: due } = await views.due(soon, 10_000);
    expect(before).not.toContainEqual({ kind: 'move', id: move.id });
    expect(due).toContainEqual({ kind: 'move', id: move.id });
    expect(due).not.toContainEqual({ kind: 'move', id: inLine.id });
    expect(due).toContainEqual({ kind: 'batch', id: batch.id });
    expect(due).toContainEqual({ kind: 'endpoint', endpoint: untold.endpoint });
    expect(due).not.toContainEqual({ kind: 'endpoint', endpoint: told.endpoint });
    // In pages it is the same, each row once.
    const paged = await all((cursor) => views.due(soon, 3, cursor));
    expect(sorted(paged)).toEqual(sorted(due));

    await store.commit('batch', batch, { ...batch, state: 'completed' });
    await store.commit('endpoint', untold, { ...untold, announcedEpoch: 4 });
    await store.commit('move', move, ended(move));
    const { items: later } = await views.due(soon, 10_000);
    expect(later).not.toContainEqual({ kind: 'batch', id: batch.id });
    expect(later).not.toContainEqual({ kind: 'endpoint', endpoint: untold.endpoint });
    expect(later).not.toContainEqual({ kind: 'move', id: move.id });
  });

  test('show the cleanups on a host until they are removed', async () => {
    const host = hostName('littered');
    const records = Array.from({ length: 4 }, () => ({ ...sample('cleanup'), host }));
    for (const record of records) await store.insert('cleanup', record);
    const keys = records.map(({ move, run }) => ({ move, run, host }));
    expect(sorted(await all((cursor) => views.cleanupsOn(host, cursor)))).toEqual(sorted(keys));
    for (const record of records) await store.remove('cleanup', record);
    expect(await all((cursor) => views.cleanupsOn(host, cursor))).toEqual([]);
  });

  test('show the history of a move in order, without what has expired or is repeated', async () => {
    const move = sampleOf(anyMoveId);
    const now = Date.now();
    const entries = Array.from({ length: 30 }, (_, index): HistoryEntry => ({
      move,
      version: index + 1,
      at: index < 3 ? now - 400 * 24 * hourMs : now,
      by: 'worker',
      fact: 'step-finished',
      from: 'running',
      to: 'running',
      ...(index % 2 === 0 ? { step: 'copy', ms: 12.5 } : { note: 'so it went' }),
    }));
    await ports.journal.append([...entries.slice(0, 5), ...entries]);
    await ports.journal.append(entries.slice(10));
    expect(await all((cursor) => views.history(move, cursor))).toEqual(entries.slice(3));
  });

  test('are fed with counts, until the batch has its exact ones', async () => {
    const batch = { ...sample('batch'), state: 'running' as const, counts: { waiting: 3 } };
    await store.insert('batch', batch);
    await ports.journal.count(batch.id, { waiting: -2, transferring: 1, 'cutting-over': 1 });
    await ports.journal.count(batch.id, { waiting: -1, moved: 1 });
    await ports.journal.count(batch.id, {});
    const found = await store.load('batch', batch);
    expect(found).toEqual({ ...batch, counts: { waiting: 0, transferring: 1, 'cutting-over': 1, moved: 1 } });
    expect(
      await store.commit('batch', batch, { ...batch, state: 'completed', counts: { moved: 3 } }),
    ).toMatchObject({
      kind: 'committed',
    });
    await ports.journal.count(batch.id, { moved: 1 });
    expect((await store.load('batch', batch))?.counts).toEqual({ moved: 3 });
    await ports.journal.count(sampleOf(anyBatchId), { moved: 1 });
  });

  test('refuse a cursor that is none of theirs', async () => {
    await expect(views.hosts('rubbish')).rejects.toThrow(CursorInvalid);
  });
});

async function all<T>(page: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const found: Page<T> = await page(cursor);
    items.push(...found.items);
    ({ cursor } = { cursor: undefined, ...found });
  } while (cursor !== undefined);
  return items;
}

const sorted = (values: readonly object[]): string[] => values.map((value) => JSON.stringify(value)).sort();

/** Until its time comes nobody looks at it. */
function putOff(move: Move): Move {
  const { status } = move.execution;
  if (status.state !== 'waiting') throw new RangeError('it does not wait');
  return { ...move, execution: { ...move.execution, status: { ...status, putOff: true } } };
}

/** One that stands in line by itself, for its own batch. */
function waitingMove(dueAt = 1_000): Move {
  const { reasons: _, joined: __, ...move } = sample('move');
  const waiting = { code: 'permit', on: 'a permit', since: 1 };
  const waits: Move = {
    ...move,
    execution: { ...move.execution, status: { state: 'waiting', waiting, dueAt } },
  };
  expect(labelOf(waits.execution)).toBe('waiting');
  return waits;
}

function ended(move: Move): Move {
  return { ...move, execution: { ...move.execution, status: { state: 'completed', endedAt: 5 } } };
}
