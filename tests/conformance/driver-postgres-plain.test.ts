import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import type { Session } from '../../shared/drivers/postgres/connection.ts';
import { daily } from '../support/daily.ts';
import { describeDriver } from '../support/driver-conformance.ts';
import { closing, MoveTrial, stages, type Stage } from '../support/move-trial.ts';
import { makePair, postgresFixture, type PostgresPair } from '../support/postgres-pair.ts';
import type { ScratchServer } from '../support/scratch-postgres.ts';

/** The superuser's suite has the others. */
const deaths = daily(['copy', 'settle', 'open'] as const, (stage) => stage === 'settle');
const returns = daily(['provision', 'copy', 'fence', 'confirm'] as const, (stage) => stage === 'confirm');

const fixture = postgresFixture([16, 16], {
  mover: 'plain',
  deathsOnly: true,
  deaths,
  returns,
});

let pair: PostgresPair | undefined;

describeDriver('PostgreSQL 16, with a mover that is no superuser,', {
  ...fixture,
  makePair: async () => (pair = await makePair([16, 16], 'plain', 'logical')),
  besides: ({ fixture: { driver } }) => {
    test('its own password stands in the target’s catalog while a move is under way, and nowhere else on the hosts', async () => {
      if (pair === undefined) throw new Error('the hosts were not made');
      const { source, target, serverOf } = pair;
      const { password = '' } = source;
      const sites = [source, target];
      const logged = sites.map((site) => serverOf(site).log().length);
      const trial = new MoveTrial(pair, await pair.createDatabase(3));
      await trial.run(driver, 1, 'preflight', 'preflight');
      const over = new AbortController();
      const said = sites.map((site) => sayings(serverOf(site), password, over.signal));
      const catalog = await serverOf(target).session();
      // Tests before this one have left moves half-way.
      const own = `SELECT subconninfo AS text FROM pg_subscription WHERE subname ~ '${trial.move.slice(3)}'`;
      const standing: Stage[] = [];
      {
        await using session = closing(trial.worker(driver, 1));
        for (const stage of stages.slice(1)) {
          await trial.take(session.of, stage);
          const ways = await textsWith(password, own, catalog);
          if (ways.length > 0) standing.push(stage);
        }
      }
      over.abort();
      await catalog.close();
      expect(standing).toEqual(stages.slice(stages.indexOf('copy'), stages.indexOf('release')));
      expect(await Promise.all(said)).toEqual([[], []]);
      for (const [nth, site] of sites.entries()) {
        const log = serverOf(site).log().slice(logged[nth]);
        // All that is said stands there.
        expect(log).toContain(site === target ? 'CREATE SUBSCRIPTION' : 'pg_replication_slots');
        expect(log).not.toContain(password);
      }
    });
  },
});

const shown = z.object({ text: z.string() });

/** Compared here: on the host it would be said, and logged. */
async function textsWith(password: string, sql: string, session: Session): Promise<string[]> {
  const rows = await session.query(sql, [], shown);
  return rows.map(({ text }) => text).filter((text) => text.includes(password));
}

/** What sessions say that has the password in it, until it is over. */
async function sayings(server: ScratchServer, password: string, over: AbortSignal): Promise<string[]> {
  const session = await server.session();
  const found: string[] = [];
  while (!over.aborted) {
    found.push(...(await textsWith(password, 'SELECT query AS text FROM pg_stat_activity', session)));
    await delay(5);
  }
  await session.close();
  return found;
}
