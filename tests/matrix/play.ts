import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { auditLedger } from '../../local/demo/audit.ts';
import {
  compareCatalogs,
  compareContent,
  describeCatalog,
  hashTables,
  isUnwritten,
  type ContentHashes,
  type DatabaseAddress,
} from '../../local/demo/content.ts';
import { WritersProcess } from '../../local/demo/writers-process.ts';
import { labelOf } from '../../shared/domain/move.ts';
import { addressOf, remainsOf, untilEnded } from './aftermath.ts';
import { isOpenCell, isRollback, nameOf, type Cell } from './cells.ts';
import type { Finding } from './finding.ts';
import { LEASE_MS, type Ground } from './ground.ts';
import type { Lookout } from './lookout.ts';
import { compareSides } from './sides.ts';
import { Strike } from './strike.ts';
import { Watch } from './watch.ts';

/** A table that appears while the source is being closed: the move has to turn back. */
const SURPRISE = 'surprise';
/** How long writers may take to write some lines, in milliseconds. */
const WRITE_LIMIT_MS = 30_000;

/** What the tenant's database held before anything moved. */
export interface Original {
  readonly hashes: ContentHashes;
  readonly catalog: readonly string[];
}

/** Reads the tenant's database where it is now. */
export async function readOriginal(ground: Ground): Promise<Original> {
  const address = await addressOf(ground);
  return { hashes: await hashTables(address, isUnwritten), catalog: await describeCatalog(address) };
}

/** Moves the tenant to the other host while its writers write, strikes once, and looks at everything afterwards. */
export async function play(
  ground: Ground,
  lookout: Lookout,
  original: Original,
  cell: Cell,
): Promise<Finding> {
  const { fleet, tenant, cloud } = ground;
  const began = Date.now();
  const [source, target] =
    (await fleet.placement(tenant.name))?.host === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const);
  const faults: string[] = [];
  /** What differed between the two sides at the flip; empty while they have not been compared. */
  const comparisons: string[][] = [];

  const gate = path.join(ground.folder, 'withheld');
  writeFileSync(gate, isOpenCell(cell) ? '' : String(ground.server(target).address.port));
  const strike = new Strike({ cell, endpoint: tenant.name, source, target, leaseMs: LEASE_MS, cloud });
  const compare = async (): Promise<void> => {
    const both = [ground.server(source), ground.server(target)] as const;
    comparisons.push(await compareSides(...both, tenant.database, !isOpenCell(cell)));
    writeFileSync(gate, '');
  };
  const surprise = (): Promise<void> =>
    ground.server(source).query(`CREATE TABLE public.${SURPRISE} ()`, tenant.database);
  lookout.post(
    new Watch({
      strike,
      source,
      beforeFence: isRollback(cell) ? surprise : undefined,
      beforeRetire: () => compare().catch((error: unknown) => void faults.push(String(error))),
    }),
  );

  const before = await linesIn(await addressOf(ground));
  const writers = await WritersProcess.start([tenant], {
    locator: {
      module: new URL('withholding.ts', import.meta.url).href,
      config: { of: fleet.locator.config, file: gate },
    },
    rate: 10,
  });
  const lines = (): number => writers.tally()[0]?.lines ?? 0;
  if (!(await hasGrown(lines))) throw new Error('the writers do not write');
  const asked = Date.now();
  await fleet.move([tenant.name], target, nameOf(cell), { policy: { retention: 0 } });
  const move = await untilEnded(ground, strike.course);
  await strike.finish();
  lookout.post();
  writeFileSync(gate, '');
  if (!(await hasGrown(lines))) faults.push('the tenant cannot be written to any more');
  const gaps = (await writers.longestGaps(asked)).get(tenant.name) ?? [];
  const histories = await writers.stop();

  if (isRollback(cell))
    await ground.server(source).query(`DROP TABLE IF EXISTS public.${SURPRISE}`, tenant.database);
  const address = await addressOf(ground);
  const audit = await auditLedger(address, histories.get(tenant.name) ?? []);
  const label = labelOf(move.execution);
  const { status } = move.execution;
  faults.push(
    ...audit.findings,
    ...audit.faults,
    ...compareContent(original.hashes, await hashTables(address, isUnwritten)),
    ...compareCatalogs(original.catalog, await describeCatalog(address)),
    ...comparisons.flat(),
    ...(strike.wasGivenUp ? ['nobody went on with the move of the stopped process'] : []),
    ...(label === 'retired' && comparisons.length === 0 ? ['the two sides were not compared'] : []),
  );
  return {
    cell: nameOf(cell),
    outcome: label === 'retired' ? 'moved' : label,
    ...('reason' in status && !isRollback(cell)
      ? { why: `${status.reason.code}: ${status.reason.sentence}` }
      : {}),
    hit: strike.hasHit,
    takenOver: strike.wasTakenOver,
    acknowledged: audit.acknowledged - before,
    lost: audit.lost,
    duplicated: audit.duplicated + audit.altered,
    reordered: audit.reordered,
    pauseMs: Math.max(0, ...gaps.map(({ ms }) => ms)),
    orphans: await remainsOf(ground, move),
    faults,
    seconds: (Date.now() - began) / 1_000,
  };
}

/** Lines that earlier writers have written: this cell's take them over, and the audit covers them too. */
async function linesIn(address: DatabaseAddress): Promise<number> {
  const client = new pg.Client({ ...address });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT sum(seq)::int AS lines FROM ledger.counter');
    return z.object({ lines: z.number() }).parse(rows[0]).lines;
  } finally {
    await client.end();
  }
}

/** Writers have written some more lines, each of them, most likely. */
async function hasGrown(lines: () => number): Promise<boolean> {
  const limit = Date.now() + WRITE_LIMIT_MS;
  while (lines() === 0 && Date.now() < limit) await sleep(20);
  const first = lines();
  while (lines() < first + 4) {
    if (Date.now() > limit) return false;
    await sleep(20);
  }
  return true;
}
