import { afterAll, beforeAll, describe, test } from '@jest/globals';
import type { HostDriver, HostSite } from '../../shared/ports/driver.ts';
import { longTest } from './daily.ts';
import { describeCrashes } from './driver-crashes.ts';
import { describeForward } from './driver-forward.ts';
import { describeUndo } from './driver-undo.ts';
import type { Stage, TrialSites } from './move-trial.ts';

/** Two hosts of one engine of data, and a tenant's hands on them. */
export interface HostPair extends TrialSites {
  /** A new database that serves, on `site` (the source by default), with the writes 1…`rows` acknowledged. */
  createDatabase(rows: number, site?: HostSite, name?: string): Promise<string>;
  /** One write of a tenant's client; `refused` also when it cannot connect. */
  write(site: HostSite, database: string, seq: number): Promise<'acknowledged' | 'refused'>;
  /** A client's write whose transaction stays open until the returned function is called. */
  writeSlowly(
    site: HostSite,
    database: string,
    seq: number,
  ): Promise<() => Promise<'acknowledged' | 'refused'>>;
  /** The writes in a database that serves, in the order of their commits (or of their numbers, where an engine does not tell). */
  read(site: HostSite, database: string): Promise<number[]>;
  /** Is there a database of this name, open or closed? */
  exists(site: HostSite, database: string): Promise<boolean>;
  /** Everything on a host that a move could change, in a form that can be compared. */
  picture(site: HostSite): Promise<string>;
  /** How many connections of movers a host has. */
  connections(site: HostSite): Promise<number>;
  /** Puts everybody out of a database, as an operator would. */
  cutSessions(site: HostSite, database: string): Promise<void>;
  close(): Promise<void>;
}

export interface DriverFixture {
  readonly driver: HostDriver;
  makePair(): Promise<HostPair>;
  /** A site of this engine at which nothing listens. */
  readonly nowhere: () => Promise<HostSite>;
  /** A driver whose worker dies at its message number `message` to a host, before or after the host has acted. */
  readonly mortal?: (message: number, when: 'before' | 'after') => HostDriver;
  /** A pair whose source cannot replicate. */
  readonly makeOfflinePair?: () => Promise<HostPair>;
  /** How many different crash points a run of the suite tries; all by default. */
  readonly crashPoints?: number;
  /**
   * Leaves out workers that die at records and messages, and that come late: where another fixture of the same engine
   * has them, and this one only differs in what its mover may do.
   */
  readonly deathsOnly?: true;
  /** A move takes seconds: of what each stage or each call is tried with, only some run each time. */
  readonly slow?: true;
  /** After which stages a worker dies; after each by default. */
  readonly deaths?: readonly Stage[];
  /** After which stages a move goes back; after each that can by default. */
  readonly returns?: readonly Stage[];
  /** What else holds of this one, with its tests. */
  readonly besides?: (bench: Bench) => void;
  /** Milliseconds that one move may take in a test. */
  readonly moveMs?: number;
}

/** What the sections of the suite share. */
export interface Bench {
  readonly fixture: DriverFixture;
  readonly pair: () => HostPair;
}

/** For what does not depend on what a mover may do: each time of one fixture of an engine. */
export const testOfAll = ({ deathsOnly }: DriverFixture): typeof longTest =>
  deathsOnly === true ? longTest : test;

/**
 * What every engine of data promises to the workflow, as sentences. Run it for each driver; the hosts are made
 * once, each test has a database of its own.
 */
export function describeDriver(name: string, fixture: DriverFixture): void {
  describe(`the ${name} driver`, () => {
    let made: HostPair | undefined;
    const pair = (): HostPair => {
      if (made === undefined) throw new Error('the hosts were not made');
      return made;
    };
    beforeAll(async () => {
      made = await fixture.makePair();
    }, 120_000);
    afterAll(async () => {
      await made?.close();
    }, 60_000);

    const bench: Bench = { fixture, pair };
    describeForward(bench);
    describeCrashes(bench);
    describeUndo(bench);
    fixture.besides?.(bench);
  });
}
