import { describe, expect, test } from '@jest/globals';
import { TokenSuperseded } from '../../shared/domain/failure.ts';
import type { HostDriver, MoveSession } from '../../shared/ports/driver.ts';
import { Died } from './cleanup-ledger.ts';
import { daily } from './daily.ts';
import type { Bench } from './driver-conformance.ts';
import { closing, MoveTrial, stages, type Stage } from './move-trial.ts';

const first = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Workers that die, and workers that were taken for dead. */
export function describeCrashes({ fixture, pair }: Bench): void {
  const { driver, crashPoints = Infinity, deaths = stages.slice(1), moveMs = 10_000 } = fixture;

  describe('a worker that dies', () => {
    test.each(deaths)('after %s: the next worker repeats it and reaches the end', async (stage) => {
      const { trial, database } = await begun();
      await trial.run(driver, 1, 'provision', stage);
      await trial.goOn(driver, 2, stage);
      await expectMoved(trial, database);
    });
  });
  if (fixture.deathsOnly === true) return;

  describe('a worker that dies', () => {
    test(
      'at any record that it keeps, before or after it: the next worker reaches the end',
      async () => {
        for (const when of ['before', 'after'] as const) {
          for (let call = 1, died = true; died && call <= crashPoints; call += 1) {
            const { trial, database } = await begun();
            trial.ledger.die(call, when);
            died = await dies(trial, driver);
            await expectRecorded(trial);
            if (died) await trial.goOn(driver, 2, trial.at);
            await expectMoved(trial, database);
          }
        }
      },
      moveMs * 40,
    );

    const { mortal } = fixture;
    if (mortal !== undefined) {
      test(
        'at any message to a host, before or after the host has acted: the next worker reaches the end',
        async () => {
          for (const when of ['before', 'after'] as const) {
            for (let message = 1, died = true; died && message <= crashPoints; message += 1) {
              const { trial, database } = await begun();
              died = await dies(trial, mortal(message, when));
              await expectRecorded(trial);
              if (died) await trial.goOn(driver, 2, trial.at);
              await expectMoved(trial, database);
            }
          }
        },
        moveMs * 80,
      );
    }

    /** @returns whether it did: false once there is no such point any more */
    async function dies(trial: MoveTrial, mortalDriver: HostDriver): Promise<boolean> {
      const session = trial.worker(mortalDriver, 1);
      try {
        await trial.runOn(session, 'provision', 'release');
        return false;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        return true;
      } finally {
        trial.ledger.deathAt = undefined;
        await session.close();
      }
    }
  });

  describe('a worker that was taken for dead and continues', () => {
    /** What the newer worker has done in between, and what the older one then tries. */
    const late: readonly (readonly [
      string,
      Stage,
      (session: MoveSession, trial: MoveTrial) => Promise<unknown>,
    ])[] = [
      ['fence', 'fence', (session) => session.fence()],
      ['unfence', 'fence', (session) => session.unfence()],
      ['fenceForGood', 'fenceForGood', (session) => session.fenceForGood()],
      ['open', 'open', (session) => session.open()],
      ['release', 'release', (session) => session.release()],
      ['retire', 'release', (session, trial) => session.retire(trial.retained)],
      ['dropReplication', 'copy', (session) => session.dropReplication()],
      ['dropTarget', 'copy', (session) => session.dropTarget()],
    ];

    const telling = ['fence', 'open', 'dropTarget'];
    const tried = fixture.slow === true ? daily(late, ([name]) => telling.includes(name)) : late;
    test.each(tried)('cannot %s', async (_, upTo, attempt) => {
      const { trial } = await begun();
      const before = stages[stages.indexOf(upTo) - 1] ?? 'provision';
      await using older = closing(trial.worker(driver, 1));
      await trial.runOn(older.of, 'provision', before);
      await using newer = closing(trial.worker(driver, 2));
      await trial.take(newer.of, upTo);
      const pictures = await both();
      await expect(attempt(older.of, trial)).rejects.toBeInstanceOf(TokenSuperseded);
      expect(await both()).toEqual(pictures);
    });

    async function both(): Promise<string[]> {
      return [await pair().picture(pair().source), await pair().picture(pair().target)];
    }
  });

  async function begun(): Promise<{ readonly trial: MoveTrial; readonly database: string }> {
    const database = await pair().createDatabase(8);
    const trial = new MoveTrial(pair(), database);
    await trial.run(driver, 1, 'preflight', 'preflight');
    return { trial, database };
  }

  /** Whatever is on a host stands in the records. */
  async function expectRecorded(trial: MoveTrial): Promise<void> {
    for (const site of [pair().source, pair().target]) {
      const residue = await driver.findResidue(site, trial.installation);
      const found = residue.filter(({ move }) => move === trial.move).map(({ item }) => item.key);
      expect(trial.ledger.keys(site.host)).toEqual(expect.arrayContaining(found));
    }
  }

  async function expectMoved(trial: MoveTrial, database: string): Promise<void> {
    expect(await pair().read(pair().target, database)).toEqual(first(8));
    expect(await pair().write(pair().source, database, 9)).toBe('refused');
    expect(await pair().write(pair().target, database, 9)).toBe('acknowledged');
    await using session = closing(trial.worker(driver, 9));
    await session.of.retire(trial.retained);
    for (const site of [pair().source, pair().target]) {
      const residue = await driver.findResidue(site, trial.installation);
      expect(residue.filter(({ move }) => move === trial.move)).toEqual([]);
      expect(trial.ledger.keys(site.host)).toEqual([]);
    }
  }
}
