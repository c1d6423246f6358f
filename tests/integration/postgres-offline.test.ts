import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Json } from '../../shared/domain/json.ts';
import { postgresDriver } from '../../shared/drivers/postgres/driver.ts';
import type { HostDriver } from '../../shared/ports/driver.ts';
import { Died } from '../support/cleanup-ledger.ts';
import type { HostPair } from '../support/driver-conformance.ts';
import { closing, MoveTrial } from '../support/move-trial.ts';
import { makePair } from '../support/postgres-pair.ts';
import type { Mover } from '../support/postgres-pair.ts';
import { daily } from '../support/daily.ts';

/** A worker whose time is up after each chunk. */
const hurried: HostDriver = {
  ...postgresDriver,
  begin: (job) => postgresDriver.begin({ ...job, remainingMs: () => 1000 }),
};

const first = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const movers: readonly Mover[] = ['superuser', 'plain'];
describe.each(daily(movers, (mover) => mover === 'plain'))('a copy of a closed source, by a %s', (mover) => {
  let pair: HostPair;
  beforeAll(async () => {
    pair = await makePair(mover === 'plain' ? [16, 18] : [15, 18], mover, 'replica');
  }, 120_000);
  afterAll(async () => {
    await pair.close();
  }, 60_000);

  test('goes on through many workers, each of which takes over the closed database', async () => {
    const database = await pair.createDatabase(40);
    const before = await pair.picture(pair.source);
    const trial = new MoveTrial(pair, database);
    await trial.run(postgresDriver, 1, 'preflight', 'fence');
    expect(await pair.write(pair.source, database, 41)).toBe('refused');
    let token = 1;
    let progress: Json | undefined;
    for (let isDone = false; !isDone;) {
      token += 1;
      expect(token).toBeLessThan(60);
      await using session = closing(trial.worker(hurried, token));
      const end = await session.of.settle(progress);
      expect(await pair.write(pair.source, database, 41)).toBe('refused');
      isDone = end.kind === 'done';
      if (end.kind !== 'done') progress = end.progress;
    }
    expect(token).toBeGreaterThan(2);
    expect(before).not.toBe(await pair.picture(pair.source));
    await trial.run(postgresDriver, token + 1, 'confirm', 'release');
    expect(await pair.read(pair.target, database)).toEqual(first(40));
    expect(await pair.write(pair.target, database, 41)).toBe('acknowledged');
  }, 120_000);

  test('records how the source was before it is closed: who dies in between leaves it open', async () => {
    const database = await pair.createDatabase(2);
    const trial = new MoveTrial(pair, database);
    await trial.run(postgresDriver, 1, 'preflight', 'verify');
    trial.ledger.die(1, 'before');
    await expect(trial.run(postgresDriver, 1, 'fence', 'fence')).rejects.toBeInstanceOf(Died);
    trial.ledger.deathAt = undefined;
    expect(await pair.write(pair.source, database, 3)).toBe('acknowledged');
  });

  test('leaves the source as it was when it is given up half-way', async () => {
    const database = await pair.createDatabase(5);
    const before = await pair.picture(pair.source);
    const trial = new MoveTrial(pair, database);
    await trial.run(postgresDriver, 1, 'preflight', 'fence');
    {
      await using other = closing(trial.worker(hurried, 2));
      await other.of.settle(undefined);
    }
    await using session = closing(trial.worker(postgresDriver, 3));
    await session.of.unfence();
    await session.of.dropReplication();
    await session.of.dropTarget();
    expect(await pair.picture(pair.source)).toBe(before);
    expect(await pair.write(pair.source, database, 6)).toBe('acknowledged');
    expect(trial.ledger.keys(pair.source.host)).toEqual([]);
  }, 120_000);

  test('starts over when the source has served in between', async () => {
    const database = await pair.createDatabase(5);
    const trial = new MoveTrial(pair, database);
    await trial.run(postgresDriver, 1, 'preflight', 'settle');
    {
      await using session = closing(trial.worker(postgresDriver, 2));
      await session.of.unfence();
    }
    expect(await pair.write(pair.source, database, 6)).toBe('acknowledged');
    await trial.run(postgresDriver, 3, 'fence', 'release');
    expect(await pair.read(pair.target, database)).toEqual(first(6));
  }, 120_000);
});
