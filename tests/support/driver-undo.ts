import { describe, expect, test } from '@jest/globals';
import type { Residue } from '../../shared/ports/driver.ts';
import { testOfAll, type Bench } from './driver-conformance.ts';
import { closing, failureCode, MoveTrial, reversible, stages } from './move-trial.ts';

/** The way back, and what is found afterwards. */
export function describeUndo({ fixture, pair }: Bench): void {
  const { driver, returns = reversible } = fixture;
  const alike = testOfAll(fixture);

  describe('the way back', () => {
    test.each(returns)(
      'after %s leaves the source as it was and nothing on the target, also when it is gone twice',
      async (last) => {
        const database = await pair().createDatabase(4);
        const before = [await pair().picture(pair().source), await pair().picture(pair().target)];
        const trial = new MoveTrial(pair(), database);
        await trial.run(driver, 1, 'preflight', last);
        await using session = closing(trial.worker(driver, 2));
        for (let times = 0; times < 2; times += 1) {
          if (stages.indexOf(last) >= stages.indexOf('fence')) await session.of.unfence();
          await session.of.dropReplication();
          await session.of.dropTarget();
        }
        expect([await pair().picture(pair().source), await pair().picture(pair().target)]).toEqual(before);
        for (const site of [pair().source, pair().target]) {
          expect(await residueOf(trial, site)).toEqual([]);
          expect(trial.ledger.keys(site.host)).toEqual([]);
        }
        expect(await pair().write(pair().source, database, 5)).toBe('acknowledged');
      },
    );

    alike('leaves alone a database on the target that is not ours', async () => {
      const database = await pair().createDatabase(2);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'preflight');
      await pair().createDatabase(7, pair().target, database);
      await using session = closing(trial.worker(driver, 1));
      expect(await failureCode(trial.take(session.of, 'provision'))).toBe('target-database-exists');
      await session.of.dropReplication();
      await session.of.dropTarget();
      expect(await pair().read(pair().target, database)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await residueOf(trial, pair().target)).toEqual([]);
    });
  });

  describe('identity', () => {
    alike('retire drops nothing on another server than the one that holds the copy', async () => {
      const trial = await released();
      await using session = closing(trial.worker(driver, 1));
      const code = await failureCode(
        session.of.retire({ ...trial.retained, systemIdentifier: '7000000000000000001' }),
      );
      expect(code).toBeDefined();
      expect(await pair().exists(pair().source, trial.retained.database)).toBe(true);
    });

    alike('retire drops nothing but the database of its number', async () => {
      const trial = await released();
      await using session = closing(trial.worker(driver, 1));
      await failureCode(session.of.retire({ ...trial.retained, oid: trial.retained.oid + 100_000 }));
      expect(await pair().exists(pair().source, trial.retained.database)).toBe(true);
    });

    alike('a retire that comes late spares the endpoint that has come back', async () => {
      const out = await released();
      const back = new MoveTrial({ source: pair().target, target: pair().source }, out.database);
      await back.run(driver, 1_000_001, 'preflight', 'release');
      await using session = closing(out.worker(driver, 2));
      await session.of.retire(out.retained);
      expect(await pair().read(pair().source, out.database)).toEqual([1, 2, 3]);
      expect(await pair().exists(pair().source, out.retained.database)).toBe(false);
    });

    async function released(): Promise<MoveTrial> {
      const trial = new MoveTrial(pair(), await pair().createDatabase(3));
      await trial.run(driver, 1, 'preflight', 'release');
      return trial;
    }
  });

  describe('residue', () => {
    test('is recorded before it is made, and all of it is recorded', async () => {
      const trial = new MoveTrial(pair(), await pair().createDatabase(3));
      const early: string[] = [];
      trial.ledger.beforeRecord = async (host, fresh) => {
        const site = host === pair().source.host ? pair().source : pair().target;
        const there = new Set((await residueOf(trial, site)).map(({ item }) => item.key));
        early.push(...fresh.map(({ key }) => key).filter((key) => there.has(key)));
      };
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      let seen = 0;
      for (const stage of stages.slice(1)) {
        await trial.take(session.of, stage);
        for (const site of [pair().source, pair().target]) {
          const keys = (await residueOf(trial, site)).map(({ item }) => item.key);
          seen += keys.length;
          expect(trial.ledger.keys(site.host)).toEqual(expect.arrayContaining(keys));
        }
      }
      expect(early).toEqual([]);
      expect(seen).toBeGreaterThan(0);
    });

    test('is found with its move and run, and removed one by one', async () => {
      const database = await pair().createDatabase(3);
      const before = await pair().picture(pair().source);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'catchUp');
      let passes = 0;
      for (let left: readonly Residue[] = await both(); left.length > 0; left = await both()) {
        expect(left.every(({ run }) => run === 1)).toBe(true);
        passes += 1;
        expect(passes).toBeLessThan(5);
        // What still needs something else gone is removed in a later pass, as by the next sweep.
        for (const site of [pair().target, pair().source]) {
          for (const residue of await residueOf(trial, site))
            await failureCode(driver.removeResidue(site, residue));
        }
      }
      expect(passes).toBeGreaterThan(0);
      expect(await pair().picture(pair().source)).toBe(before);
      expect(await pair().exists(pair().target, database)).toBe(false);
      expect(await pair().write(pair().source, database, 4)).toBe('acknowledged');

      async function both(): Promise<readonly Residue[]> {
        return [...(await residueOf(trial, pair().target)), ...(await residueOf(trial, pair().source))];
      }
    });

    alike('is not what serves, nor what another installation made', async () => {
      const trial = new MoveTrial(pair(), await pair().createDatabase(3), 'another');
      await trial.run(driver, 1, 'preflight', 'copy');
      const ours = await driver.findResidue(pair().target, 'trial');
      expect(ours.filter(({ move }) => move === trial.move)).toEqual([]);
      expect(await residueOf(trial, pair().target)).not.toEqual([]);
      await trial.run(driver, 1, 'catchUp', 'release');
      expect(await residueOf(trial, pair().target)).toEqual([]);
    });
  });

  async function residueOf(
    trial: MoveTrial,
    site: Parameters<typeof driver.describe>[0],
  ): Promise<readonly Residue[]> {
    const found = await driver.findResidue(site, trial.installation);
    return found.filter(({ move }) => move === trial.move);
  }
}
