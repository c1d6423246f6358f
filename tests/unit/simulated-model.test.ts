import { describe, expect, test } from '@jest/globals';
import { check } from '../../shared/drivers/simulated/check.ts';
import { Network, type Reply } from '../../shared/drivers/simulated/network.ts';
import type { Inputs, Kind, Mark, Outputs } from '../../shared/drivers/simulated/protocol.ts';
import type { Behaviour } from '../../shared/drivers/simulated/behaviour.ts';

const mark: Mark = { installation: 'x', move: 'mv_0000000000000001', run: 1 };
const stream = 'dray_x_0000000000000001_1_s0';

/** Two hosts, one database with three rows, and a clock in the test's hand. */
class Bench {
  readonly network = new Network();
  now = 1_000;
  link = 'mover';

  constructor(target: Behaviour = {}, source: Behaviour = {}) {
    this.network.addHost({ name: 'a', behaviour: source });
    this.network.addHost({ name: 'b', behaviour: target });
    this.network.addDatabase('a', { name: 'shop', rows: 3, bytes: 1_000 }, 0);
  }

  ask<K extends Kind>(host: string, kind: K, input: Inputs[K]): Reply<K> {
    const caller = { link: this.link, password: undefined, options: {} };
    return this.network.ask(host, caller, kind, input, this.now);
  }

  must<K extends Kind>(host: string, kind: K, input: Inputs[K]): Outputs[K] {
    const reply = this.ask(host, kind, input);
    if (reply.kind !== 'answer') throw new Error(`${kind}: ${JSON.stringify(reply)}`);
    return reply.output;
  }

  code<K extends Kind>(host: string, kind: K, input: Inputs[K]): string {
    const reply = this.ask(host, kind, input);
    return reply.kind === 'refusal' ? reply.body.code : reply.kind;
  }

  onSource(token = 1): Inputs['fence'] {
    return { guard: { system: 'sim-a', token, database: { oid: 16_384 } } };
  }

  onTarget(token = 1): Inputs['fence'] {
    return { guard: { system: 'sim-b', token, database: { mark } } };
  }

  /** An empty target that copies. */
  subscribe(): Outputs['subscribe'] {
    this.must('b', 'create-database', {
      system: 'sim-b',
      token: 1,
      name: 'dray_x_0000000000000001_1',
      mark,
      owner: 'owner',
      schema: 'schema-1',
      extensions: [],
    });
    this.must('a', 'publish', { ...this.onSource(), name: stream });
    return this.resubscribe();
  }

  resubscribe(): Outputs['subscribe'] {
    return this.must('b', 'subscribe', {
      ...this.onTarget(),
      name: stream,
      source: 'sim://here/a',
      slot: stream,
    });
  }

  write(seq: number, host = 'a'): string {
    const reply = this.network.write(host, { database: 'shop', writer: 'first', seq }, this.now);
    return reply.kind === 'refusal' ? reply.body.code : reply.kind;
  }

  status(): Outputs['replication'] {
    return this.must('b', 'replication', { subscription: stream });
  }

  settle(): Outputs['settle'] {
    const { position, sequence } = this.must('a', 'marker', this.onSource());
    return this.must('b', 'settle', { ...this.onTarget(), subscription: stream, marker: position, sequence });
  }

  rowsOnTarget(): number {
    return this.must('b', 'digest', { ...this.onTarget(), upTo: null, session: false }).rows;
  }
}

describe('a copy', () => {
  test('takes as long as the bytes need, and goes on while nobody looks', () => {
    const bench = new Bench({ copyBytesPerSecond: 100 });
    expect(bench.subscribe()).toMatchObject({
      state: 'copying',
      copiedBytes: 0,
      totalBytes: 1_300,
      etaMs: 13_000,
    });
    bench.now += 6_500;
    expect(bench.status()).toMatchObject({ state: 'copying', copiedBytes: 650 });
    bench.now += 6_500;
    expect(bench.status()).toMatchObject({ state: 'applying', lagBytes: 0 });
    expect(bench.rowsOnTarget()).toBe(3);
  });

  test('stops where the disk is full, and goes on when there is room', () => {
    const bench = new Bench({ capacityBytes: 500 });
    const call = (): unknown => bench.subscribe();
    expect(call).toThrow('disk-full');
    bench.network.behave('b', {});
    expect(bench.resubscribe()).toMatchObject({ state: 'applying' });
  });

  test('waits for a source that does not answer', () => {
    const bench = new Bench({ copyBytesPerSecond: 100 });
    bench.subscribe();
    bench.network.behave('a', { down: true });
    expect(bench.code('b', 'replication', { subscription: stream })).toBe('target-cannot-reach-source');
  });
});

describe('applying', () => {
  test('brings what was written after the slot was made, no sooner than the lag', () => {
    const bench = new Bench({ lagMs: 500 });
    bench.subscribe();
    bench.write(4);
    expect(bench.status()).toMatchObject({ lagBytes: 100, etaMs: 500 });
    bench.now += 500;
    expect(bench.status()).toMatchObject({ lagBytes: 0 });
    expect(bench.rowsOnTarget()).toBe(4);
  });

  test('keeps to its rate', () => {
    const bench = new Bench({ applyRowsPerSecond: 10 });
    bench.subscribe();
    for (let seq = 4; seq < 24; seq += 1) bench.write(seq);
    bench.now += 1_000;
    expect(bench.status()).toMatchObject({ applied: 13 });
    bench.now += 1_000;
    expect(bench.status()).toMatchObject({ applied: 23, lagBytes: 0 });
  });

  test('a settle does not hold before the marker has arrived', () => {
    const bench = new Bench({ lagMs: 300 });
    bench.subscribe();
    bench.write(4);
    bench.must('a', 'fence', bench.onSource());
    expect(bench.settle()).toMatchObject({ settled: false, lagBytes: 100 });
    bench.now += 300;
    expect(bench.settle()).toMatchObject({ settled: true });
    expect(bench.rowsOnTarget()).toBe(4);
  });

  test('what was applied and not yet made durable is sent again after a crash of the target', () => {
    const bench = new Bench();
    bench.subscribe();
    bench.write(4);
    expect(bench.status().applied).toBe(4);
    bench.network.crash('b');
    expect(bench.rowsOnTarget()).toBe(3);
    expect(bench.status().applied).toBe(4);
    expect(bench.rowsOnTarget()).toBe(4);
  });

  test('without the slot what was not durable on the target is lost, and the slot is missed', () => {
    const bench = new Bench();
    bench.subscribe();
    bench.write(4);
    bench.status();
    bench.must('a', 'unpublish', { ...bench.onSource(), name: stream });
    bench.network.crash('b');
    expect(bench.rowsOnTarget()).toBe(3);
    expect(bench.code('b', 'replication', { subscription: stream })).toBe('slot-missing');
  });

  test('a settle makes everything durable, so a crash after it loses nothing', () => {
    const bench = new Bench();
    bench.subscribe();
    bench.write(4);
    bench.must('a', 'fence', bench.onSource());
    expect(bench.settle().settled).toBe(true);
    bench.must('a', 'unpublish', { ...bench.onSource(), name: stream });
    bench.network.crash('b');
    expect(bench.rowsOnTarget()).toBe(4);
  });

  test('a slot that was dropped and made anew has lost the tail', () => {
    const bench = new Bench({ lagMs: 1_000 });
    bench.subscribe();
    bench.write(4);
    bench.must('a', 'unpublish', { ...bench.onSource(), name: stream });
    bench.must('b', 'unsubscribe', { ...bench.onTarget(), name: stream, hand: false });
    expect(bench.must('a', 'publish', { ...bench.onSource(), name: stream })).toEqual({ position: 4 });
    expect(bench.must('a', 'tail', { slot: stream })).toEqual({ pending: 0 });
  });
});

describe('a host', () => {
  test('gives numbers out twice when the sequence did not come along', () => {
    const bench = new Bench();
    bench.subscribe();
    bench.must('b', 'name-database', { ...bench.onTarget(), to: 'shop' });
    bench.must('b', 'open', bench.onTarget());
    expect(bench.write(4, 'b')).toBe('duplicate-key');
  });

  test('ends what a connection had open when the connection ends', () => {
    const bench = new Bench();
    bench.must('a', 'fence', bench.onSource());
    bench.network.disconnect('mover');
    expect(bench.code('a', 'marker', bench.onSource())).toBe('session-lost');
  });

  test('gives nobody the session of another connection, even under the same token', () => {
    const bench = new Bench();
    bench.must('a', 'fence', bench.onSource());
    bench.link = 'another';
    expect(bench.code('a', 'marker', bench.onSource())).toBe('session-lost');
  });

  test('puts the former worker out as soon as a newer one touches the database', () => {
    const bench = new Bench();
    bench.must('a', 'fence', bench.onSource(1));
    bench.must('a', 'publish', { ...bench.onSource(2), name: stream });
    expect(bench.network.hosts.get('a')?.sessions.size).toBe(0);
    expect(bench.code('a', 'unfence', bench.onSource(1))).toBe('token-superseded');
    expect(bench.write(4)).toBe('not-accepting');
  });

  test('drops no database that does not carry the mark, whatever its number', () => {
    const bench = new Bench();
    expect(bench.code('a', 'drop-database', { ...bench.onSource(), mark })).toBe('not-ours');
    expect(bench.write(4)).toBe('answer');
  });

  test('has only so many slots and workers', () => {
    const bench = new Bench({ workers: 0 }, { slots: 0 });
    expect(bench.code('a', 'publish', { ...bench.onSource(), name: stream })).toBe('slots-exhausted');
    bench.network.behave('a', {});
    expect(() => bench.subscribe()).toThrow('workers-exhausted');
  });

  test('fails as often as it was told to, before anything is done', () => {
    const bench = new Bench({}, { fail: { publish: 2 } });
    const publish = (): string => bench.code('a', 'publish', { ...bench.onSource(), name: stream });
    expect([publish(), publish(), publish()]).toEqual(['injected', 'injected', 'answer']);
  });

  test('loses answers of things that it has done', () => {
    const bench = new Bench({}, { lose: { fence: 1 } });
    expect(bench.code('a', 'fence', bench.onSource())).toBe('lost');
    expect(bench.write(4)).toBe('not-accepting');
  });

  test('that is down answers nobody and keeps its databases', () => {
    const bench = new Bench();
    bench.network.behave('a', { down: true });
    expect(bench.write(4)).toBe('lost');
    bench.network.behave('a', {});
    expect(bench.write(4)).toBe('answer');
  });
});

describe('the check', () => {
  test('finds nothing wrong where nothing is wrong', () => {
    const bench = new Bench();
    bench.write(4);
    expect(check(bench.network)).toEqual({
      databases: 1,
      acknowledged: 4,
      lost: 0,
      duplicated: 0,
      reordered: 0,
      homeless: [],
      doubled: [],
      served: { a: 1 },
      residue: {},
    });
  });

  test('finds a lost, a doubled and a reordered write', () => {
    const bench = new Bench();
    for (const seq of [4, 5, 6]) bench.write(seq);
    const rows = bench.network.hosts.get('a')?.databases.get(16_384)?.rows ?? [];
    const [fifth] = rows.splice(4, 1);
    if (fifth === undefined) throw new Error('no fifth row');
    expect(check(bench.network)).toMatchObject({ lost: 1, duplicated: 0, reordered: 0 });
    rows.push(fifth);
    expect(check(bench.network)).toMatchObject({ lost: 0, duplicated: 0, reordered: 1 });
    rows.push(fifth);
    expect(check(bench.network)).toMatchObject({ lost: 0, duplicated: 1, reordered: 2 });
  });

  test('finds a database that two hosts serve, one that none serves, and what was left behind', () => {
    const bench = new Bench();
    bench.subscribe();
    expect(Object.keys(check(bench.network).residue)).toEqual(['a', 'b']);
    bench.must('b', 'name-database', { ...bench.onTarget(), to: 'shop' });
    bench.must('b', 'open', bench.onTarget());
    expect(check(bench.network).doubled).toEqual(['shop']);
    bench.must('a', 'fence', bench.onSource());
    bench.network.hosts.get('b')?.databases.clear();
    expect(check(bench.network)).toMatchObject({ homeless: ['shop'], served: {} });
  });
});

test('the same messages at the same times give the same hosts', () => {
  const run = (): string => {
    const bench = new Bench({ copyBytesPerSecond: 1_000, lagMs: 50, applyRowsPerSecond: 100 });
    bench.subscribe();
    for (let seq = 4; seq < 40; seq += 1) {
      bench.write(seq);
      bench.now += 17;
      bench.status();
      if (seq === 30) bench.network.crash('b');
    }
    return JSON.stringify([...bench.network.hosts.values()].map((host) => [...host.databases.values()]));
  };
  expect(run()).toBe(run());
});
