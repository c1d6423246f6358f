import { everyPage } from '../../shared/workflow/every-page.ts';
import { readBatch } from '../../shared/workflow/explain/look-at-batch.ts';
import { check } from '../../shared/drivers/simulated/check.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { isSettled, labelOf } from '../../shared/domain/move.ts';
import { isVerified } from '../demo/summary.ts';
import type { Stage } from './stage.ts';

export interface Verdict {
  readonly lines: readonly string[];
  readonly faults: readonly string[];
  readonly report: object;
}

/** Waits for the end of every batch that there is, and looks at everything that was promised. */
export async function judge(stage: Stage, expected: readonly BatchId[], since: number): Promise<Verdict> {
  const { services } = stage.scene.fleet;
  const all = await everyPage((cursor) => services.views.batches(cursor));
  for (const id of new Set([...expected, ...all]))
    await stage.until(`batch ${id} to end`, async () => stage.isCompleted(id));
  stage.simulated.write(0);
  const snapshots = await Promise.all(all.map(async (id) => readBatch(services, id)));
  const found = snapshots.filter((snapshot) => snapshot !== undefined);
  const moves = found.flatMap((snapshot) => snapshot.moves);
  const findings = check(stage.simulated.network);
  const placements = await stage.placements(stage.fleet.endpoints.map(({ name }) => name));
  const misplaced = stage.fleet.endpoints.filter(
    ({ name }, index) => placements[index]?.host !== stage.simulated.network.servers(name)[0],
  );
  const tenants = new Set(stage.scene.tenants.map(({ name }) => name));
  const real = moves.filter(({ endpoint }) => tenants.has(endpoint));
  const results = await stage.scene.check({ moves: real }, since);
  const unsound = results.filter((result) => !isVerified(result)).map(({ move }) => move.endpoint);
  // What was taken for a move that never began goes back with the next sweep.
  await stage.until('permits and space to be given back', async () => (await occupied(stage)).length === 0);
  const labels = moves.map(({ execution }) => labelOf(execution));
  const open = labels.filter((label) => !isSettled(label));
  const stuck = labels.filter((label) => label === 'stuck');
  const faults = [
    [`${String(findings.lost)} acknowledged writes are lost`, findings.lost > 0],
    [`${String(findings.duplicated)} writes are there twice`, findings.duplicated > 0],
    [`${String(findings.reordered)} writes are out of order`, findings.reordered > 0],
    [`${String(findings.homeless.length)} databases accept no writes`, findings.homeless.length > 0],
    [`${String(findings.doubled.length)} databases accept writes on two hosts`, findings.doubled.length > 0],
    [`${String(misplaced.length)} placements do not name the host that serves`, misplaced.length > 0],
    [
      `something was left behind on ${Object.keys(findings.residue).join(', ')}`,
      Object.keys(findings.residue).length > 0,
    ],
    [`${String(open.length)} moves have not come to their end`, open.length > 0],
    [`${String(stuck.length)} moves are stuck`, stuck.length > 0],
    [`${unsound.join(', ')}: histories or tables differ`, unsound.length > 0],
    [`only ${String(real.length)} of ${String(tenants.size)} tenants were moved`, real.length < tenants.size],
  ] as const;
  const report = {
    batches: found.length,
    moves: moves.length,
    writes: { acknowledged: findings.acknowledged, lost: findings.lost },
    faults: faults.filter(([, isFault]) => isFault).map(([sentence]) => sentence),
  };
  return {
    lines: found.map(({ batch }) => `${batch.id}  ${JSON.stringify(batch.counts)}  ${batch.reason}`),
    faults: report.faults,
    report,
  };
}

/** Hosts on which permits are held or space is set aside. */
async function occupied(stage: Stage): Promise<readonly Host[]> {
  const hosts = await Promise.all(stage.fleet.hosts.map(async (name) => stage.host(name)));
  return hosts.filter(
    ({ permitsIn, permitsOut, reserved }) =>
      permitsIn.length + permitsOut.length + Object.keys(reserved).length > 0,
  );
}
