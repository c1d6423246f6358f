import { describe, expect, test } from '@jest/globals';
import { hostName } from '../../shared/domain/ids.ts';
import type { HostSite } from '../../shared/ports/driver.ts';
import { daily } from './daily.ts';
import { testOfAll, type Bench } from './driver-conformance.ts';
import { closing, failureCode, MoveTrial, policy, stages, toTheEnd, type Stage } from './move-trial.ts';

const first = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Looking at hosts, and the way forward. */
export function describeForward({ fixture, pair }: Bench): void {
  const { driver } = fixture;
  const alike = testOfAll(fixture);

  describe('looking', () => {
    test('describes a host by an identity that stays', async () => {
      const [once, again, other] = [
        await driver.describe(pair().source),
        await driver.describe(pair().source),
        await driver.describe(pair().target),
      ];
      expect(once.systemIdentifier).toBe(again.systemIdentifier);
      expect(once.systemIdentifier).not.toBe(other.systemIdentifier);
      expect(once.movesOut).toBeGreaterThan(0);
      expect(once.movesIn).toBeGreaterThan(0);
      expect(once.version).not.toBe('');
    });

    test('finds nothing against moves on hosts that are as they should be, and changes nothing', async () => {
      const before = [await pair().picture(pair().source), await pair().picture(pair().target)];
      for (const site of [pair().source, pair().target]) {
        const findings = await driver.examine(site, 'conformance');
        expect(findings.filter(({ severity }) => severity === 'blocker')).toEqual([]);
      }
      expect([await pair().picture(pair().source), await pair().picture(pair().target)]).toEqual(before);
    });

    test('discovers the databases that serve', async () => {
      const database = await pair().createDatabase(3);
      const found = await driver.discover(pair().source);
      const [one] = found.filter((each) => each.database === database);
      expect(one?.owner).not.toBe('');
      expect(one?.sizeBytes).toBeGreaterThan(0);
    });

    test('takes stock of what is open, closed or a copy, with the newest token that each has seen', async () => {
      const database = await pair().createDatabase(3);
      const trial = new MoveTrial(pair(), database);
      const stockOf = async (site: HostSite) =>
        (await driver.takeStock(site, trial.installation)).filter(
          (each) => each.database === database || each.copyOf === trial.move,
        );
      expect(await stockOf(pair().source)).toEqual([{ database, access: 'open' }]);
      await trial.run(driver, 7, 'preflight', 'verify');
      expect(await stockOf(pair().target)).toMatchObject([{ copyOf: trial.move, marker: { token: 7 } }]);
      await trial.run(driver, 8, 'fence', 'release');
      expect(await stockOf(pair().target)).toMatchObject([
        { database, access: 'open', marker: { token: 8 } },
      ]);
      const [kept, ...others] = await stockOf(pair().source);
      expect([kept, others]).toMatchObject([
        { access: 'closed-for-good', copyOf: trial.move, marker: { token: 8 } },
        [],
      ]);
    });

    test('says that a wrong password needs a person', async () => {
      const site = { ...pair().source, password: 'wrong' };
      await expect(driver.describe(site)).rejects.toMatchObject({ name: 'StepFailure', verdict: 'fail' });
    });

    test('asks once more for a password that is refused, and takes it up if it was rotated', async () => {
      const { site, asked } = storedElsewhere(pair().source, 'rotated away');
      await driver.describe(site);
      expect(asked()).toBe(1);
      await driver.discover(site);
      expect(asked()).toBe(1);
    });

    test('says that a password needs a person that is refused, and the same when it is asked for again', async () => {
      const { site, asked } = storedElsewhere({ ...pair().source, password: 'wrong' }, 'wrong');
      await expect(driver.describe(site)).rejects.toMatchObject({ name: 'StepFailure', verdict: 'fail' });
      expect(asked()).toBe(1);
    });

    test('says of a host that does not answer that its state is unknown', async () => {
      const call = driver.describe(await fixture.nowhere());
      await expect(call).rejects.toMatchObject({ name: 'StepFailure', verdict: 'host-down' });
    });

    test('preflight changes nothing on either host', async () => {
      const trial = new MoveTrial(pair(), await pair().createDatabase(3));
      const before = [await pair().picture(pair().source), await pair().picture(pair().target)];
      await trial.run(driver, 1, 'preflight', 'preflight');
      expect([await pair().picture(pair().source), await pair().picture(pair().target)]).toEqual(before);
      expect([...trial.ledger.keys(pair().source.host), ...trial.ledger.keys(pair().target.host)]).toEqual(
        [],
      );
    });

    test('preflight names a database that is not there', async () => {
      await expectBlocker(new MoveTrial(pair(), 'nobody_made_this'), 'database-missing');
    });

    test('preflight names a database of the same name on the target', async () => {
      const database = await pair().createDatabase(1);
      await pair().createDatabase(1, pair().target, database);
      await expectBlocker(new MoveTrial(pair(), database), 'target-database-exists');
    });

    test('preflight sees that source and target are one server under two names', async () => {
      const database = await pair().createDatabase(1);
      const target = { ...pair().source, host: hostName('another-name') };
      await expectBlocker(new MoveTrial({ source: pair().source, target }, database), 'same-server');
    });

    /** A site as it was fetched with the password `fetched`, while the stored one is that of `site`. */
    function storedElsewhere(
      site: HostSite,
      fetched: string,
    ): { readonly site: HostSite; readonly asked: () => number } {
      let password: string | undefined = fetched;
      let asked = 0;
      return {
        asked: () => asked,
        site: {
          ...site,
          get password() {
            return password;
          },
          renewPassword(refused) {
            asked += 1;
            password = site.password;
            return Promise.resolve(password !== refused);
          },
        },
      };
    }

    async function expectBlocker(trial: MoveTrial, code: string): Promise<void> {
      await using session = closing(trial.worker(driver, 1));
      const { findings } = await session.of.preflight();
      const blockers = findings.filter(({ severity }) => severity === 'blocker');
      expect(blockers.map((finding) => finding.code)).toContain(code);
      for (const { sentence, cure } of blockers) {
        expect(sentence).toMatch(/\S+ \S+/);
        expect(cure).toMatch(/\S+ \S+/);
      }
    }
  });

  describe('moving', () => {
    test('everything that was written before and during the move is on the target, once and in order', async () => {
      const database = await pair().createDatabase(20);
      const trial = new MoveTrial(pair(), database);
      let seq = 20;
      const write = async (): Promise<void> => {
        expect(await pair().write(pair().source, database, seq + 1)).toBe('acknowledged');
        seq += 1;
      };
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      for (const stage of stages.slice(1, stages.indexOf('fence'))) {
        await write();
        await trial.take(session.of, stage);
        await write();
      }
      await trial.runOn(session.of, 'fence', 'release');
      expect(await pair().read(pair().target, database)).toEqual(first(seq));
      expect(await pair().write(pair().target, database, seq + 1)).toBe('acknowledged');
      expect(await pair().write(pair().source, database, seq + 1)).toBe('refused');
    });

    alike('each stage, called again by the same worker, reaches the same end', async () => {
      const database = await pair().createDatabase(5);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      for (const stage of stages.slice(1)) {
        await trial.take(session.of, stage);
        await trial.take(session.of, stage);
      }
      await session.of.retire(trial.retained);
      await session.of.retire(trial.retained);
      expect(await pair().read(pair().target, database)).toEqual(first(5));
      await expectNothingLeft(trial);
    });

    alike('the target is closed until it is opened', async () => {
      const database = await pair().createDatabase(2);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      for (const stage of stages.slice(1, stages.indexOf('open'))) {
        await trial.take(session.of, stage);
        expect(await pair().write(pair().target, database, 1_000)).toBe('refused');
      }
      await trial.take(session.of, 'open');
      expect(await pair().write(pair().target, database, 3)).toBe('acknowledged');
    });

    test('the fence refuses writes and ends the transactions that are open', async () => {
      const database = await pair().createDatabase(2);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      await trial.runOn(session.of, 'provision', 'verify');
      const commit = await pair().writeSlowly(pair().source, database, 3);
      await trial.take(session.of, 'fence');
      expect(await commit()).toBe('refused');
      expect(await pair().write(pair().source, database, 3)).toBe('refused');
      await trial.runOn(session.of, 'settle', 'release');
      expect(await pair().read(pair().target, database)).toEqual([1, 2]);
    });

    alike('unfence lets the source serve as before, and a later fence holds again', async () => {
      const database = await pair().createDatabase(2);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'preflight');
      await using session = closing(trial.worker(driver, 1));
      await trial.runOn(session.of, 'provision', 'fence');
      await session.of.unfence();
      await session.of.unfence();
      expect(await pair().write(pair().source, database, 3)).toBe('acknowledged');
      await trial.runOn(session.of, 'fence', 'release');
      expect(await pair().read(pair().target, database)).toEqual([1, 2, 3]);
    });

    alike('what is closed for good stays closed for whoever would thaw it late', async () => {
      const database = await pair().createDatabase(2);
      const trial = new MoveTrial(pair(), database);
      await trial.run(driver, 1, 'preflight', 'fenceForGood');
      await using session = closing(trial.worker(driver, 1));
      await failureCode(session.of.unfence());
      expect(await pair().write(pair().source, database, 3)).toBe('refused');
    });

    alike.each<Stage>(['settle', 'confirm'])(
      '%s says so when the session inside the fence is gone',
      async (stage) => {
        const database = await pair().createDatabase(2);
        const trial = new MoveTrial(pair(), database);
        await trial.run(driver, 1, 'preflight', 'preflight');
        await using session = closing(trial.worker(driver, 1));
        await trial.runOn(session.of, 'provision', stage === 'settle' ? 'fence' : 'settle');
        await pair().cutSessions(pair().source, database);
        await expect(trial.take(session.of, stage)).rejects.toMatchObject({ name: 'SessionLost' });
      },
    );

    alike('predicts the pause of writers before it is made', async () => {
      const trial = new MoveTrial(pair(), await pair().createDatabase(2));
      await trial.run(driver, 1, 'preflight', 'verify');
      await using session = closing(trial.worker(driver, 1));
      const { ms, why } = await session.of.predictPause();
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(policy.pauseBudgetMs);
      expect(why).not.toBe('');
    });

    alike('starts nothing once its signal is given', async () => {
      const trial = new MoveTrial(pair(), await pair().createDatabase(2));
      await trial.run(driver, 1, 'preflight', 'preflight');
      const before = await pair().picture(pair().target);
      const stop = new AbortController();
      await using session = closing(trial.worker(driver, 1, stop.signal));
      stop.abort();
      await expect(toTheEnd((progress) => session.of.provision(progress))).rejects.toThrow();
      expect(await pair().picture(pair().target)).toBe(before);
    });

    alike('close leaves no connection, wherever the work stopped', async () => {
      const stops = ['copy', 'fence', 'settle', 'release'] as const;
      for (const last of fixture.slow === true ? daily(stops, (stage) => stage === 'settle') : stops) {
        const trial = new MoveTrial(pair(), await pair().createDatabase(2));
        await trial.run(driver, 1, 'preflight', 'preflight');
        const session = trial.worker(driver, 1);
        await trial.runOn(session, 'provision', last);
        await session.close();
        await session.close();
        expect(await settled(pair().source)).toBe(0);
        expect(await settled(pair().target)).toBe(0);
      }
    });

    const { makeOfflinePair } = fixture;
    if (makeOfflinePair !== undefined) {
      test('a source that cannot replicate is copied while it is closed', async () => {
        const offline = await makeOfflinePair();
        try {
          const database = await offline.createDatabase(30);
          const trial = new MoveTrial(offline, database);
          await trial.run(driver, 1, 'preflight', 'verify');
          expect(await offline.write(offline.source, database, 31)).toBe('acknowledged');
          await trial.run(driver, 1, 'fence', 'release');
          expect(await offline.read(offline.target, database)).toEqual(first(31));
          const findings = await driver.examine(offline.source, 'conformance');
          expect(findings.map(({ code, severity }) => [code, severity])).toContainEqual([
            expect.stringMatching(/^(wal-level|replication-off)$/),
            'warning',
          ]);
        } finally {
          await offline.close();
        }
      });
    }
  });

  /** A host notices the end of a connection a moment later. */
  async function settled(site: Parameters<Bench['fixture']['driver']['describe']>[0]): Promise<number> {
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await pair().connections(site)) === 0) return 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return await pair().connections(site);
  }

  async function expectNothingLeft(trial: MoveTrial): Promise<void> {
    for (const site of [pair().source, pair().target]) {
      const residue = await driver.findResidue(site, trial.installation);
      expect(residue.filter(({ move }) => move === trial.move)).toEqual([]);
      expect(trial.ledger.keys(site.host)).toEqual([]);
    }
  }
}
