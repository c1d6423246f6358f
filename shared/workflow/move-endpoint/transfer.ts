import { StepFailure } from '../../domain/failure.ts';
import { freeBytes, type Host } from '../../domain/host.ts';
import type { HostName, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Preflight } from '../../ports/driver.ts';
import type { Step, UndoOutcome } from '../engine/workflow.ts';
import { mustArbitrate } from '../arbiter.ts';
import { loadHost } from '../host-site.ts';
import { storedOn } from '../planning/fleet.ts';
import { pack } from './carry.ts';
import { missing, type MoveScene } from './scene.ts';
import { resultsOf } from './results.ts';
import { tellOfLag, tellOfLatency } from './tell-of-hosts.ts';

type MoveStep = Step<Move, MoveScene>;

/** 1. Looks at everything that could stop the move, and changes nothing. */
export const preflight: MoveStep = {
  async run(scene, hand) {
    const found = await (await scene.session(hand)).preflight();
    refuseBlockers(found, hand.task);
    const { blobs } = scene.services;
    return {
      kind: 'done',
      result: {
        sizeBytes: found.sizeBytes,
        mode: found.mode,
        warnings: found.findings.filter((finding) => finding.severity === 'warning').length,
        recorded: await pack(blobs, found.recorded),
        findings: await pack(
          blobs,
          found.findings.map((finding) => ({ ...finding })),
        ),
      },
    };
  },
  /** What planning and admission took for the move goes back. */
  async undo(scene, hand) {
    const { permits } = scene.services;
    const { id, endpoint, source, target } = hand.task;
    await mustArbitrate(scene.services, endpoint, { kind: 'release', move: id });
    await Promise.all([permits.giveBack(source, 'out', id), permits.vacate(target, id)]);
    return { kind: 'done' };
  },
};

function refuseBlockers(found: Preflight, move: Move): void {
  const blockers = found.findings.filter((finding) => finding.severity === 'blocker');
  const [first] = blockers;
  if (first !== undefined) {
    const more =
      blockers.length > 1 ? ` (and ${String(blockers.length - 1)} more: dray explain ${move.id})` : '';
    throw new StepFailure(
      { code: first.code, sentence: `${first.sentence}${more}`, cure: first.cure },
      'fail',
    );
  }
  if (found.mode === 'offline' && move.policy.offline === 'refuse') {
    throw new StepFailure(
      {
        code: 'offline-only',
        sentence: `${move.endpoint} can only be moved with its clients shut out for the whole copy: ${move.source} cannot replicate it logically`,
        cure: `set wal_level = logical on ${move.source} and restart it, or allow it with policy.offline = "allow"`,
      },
      'fail',
    );
  }
}

/** 2. Sets space aside on the target before the source is touched. Endpoint and permits are held already. */
export const reserve: MoveStep = {
  async run({ services }, hand) {
    const { id, target, endpoint } = hand.task;
    const { preflight: found } = resultsOf(hand.task);
    if (found === undefined) throw missing('the result of preflight');
    const host = await withRoomFor(services, target, id, found.sizeBytes);
    // Our own reservation is in it, so what is left must not be below zero.
    const left = freeBytes(host, (await storedOn(services, target)).bytes);
    if (left >= 0) return { kind: 'done' };
    await services.permits.unreserve(target, id);
    throw new StepFailure(
      {
        code: 'no-space',
        sentence: `${target} has too little room for ${endpoint} (${megabytes(found.sizeBytes)}): it would be ${megabytes(-left)} over, with a tenth of its capacity kept free`,
        cure: 'choose another target, move something off it, or correct its capacity: dray host change … --capacity …',
      },
      'fail',
    );
  },
  async undo({ services }, hand) {
    await services.permits.unreserve(hand.task.target, hand.task.id);
    return { kind: 'done' };
  },
};

/** A host on which so much is set aside for a move. It mostly is, since it was planned: then nothing is written. */
async function withRoomFor(
  services: MoveScene['services'],
  name: HostName,
  move: MoveId,
  bytes: number,
): Promise<Host> {
  const host = await loadHost(services, name);
  if (host.reserved[move] === bytes) return host;
  await services.permits.reserve(name, move, bytes);
  return loadHost(services, name);
}

const megabytes = (bytes: number): string => `${String(Math.ceil(bytes / 1_000_000))} MB`;

/** 3. An empty, closed database of our own on the target, with the schema. */
export const provision: MoveStep = {
  run: (scene, hand) => scene.carryOn(hand, (session, progress) => session.provision(progress)),
  undo: (scene, hand) => cleanAway(scene, hand, (session) => session.dropTarget()),
};

/** 4. The bulk of the data. */
export const copy: MoveStep = {
  run: (scene, hand) => scene.carryOn(hand, (session, progress) => session.copy(progress)),
  undo: (scene, hand) => cleanAway(scene, hand, (session) => session.dropReplication()),
};

/** 5. What was written meanwhile, until little is left. Its undo is that of copy. */
export const catchUp: MoveStep = {
  async run(scene, hand) {
    const { source, target } = hand.task;
    await tellOfLatency(scene, hand, { source, target });
    return scene.carryOn(hand, async (session, progress) => {
      const end = await session.catchUp(progress);
      tellOfLag(scene.services, target, end);
      return end;
    });
  },
};

/** 6. Compares both sides while clients go on. */
export const verify: MoveStep = {
  async run(scene, hand) {
    const end = await scene.carryOn(hand, (session, progress) => session.verify(progress));
    if (end.kind !== 'done') return end;
    return { kind: 'done', result: { at: scene.services.clock.now(), report: end.result ?? null } };
  },
};

/**
 * An undo on both hosts. A target that is down cannot keep the source: once nothing of ours is recorded on the
 * source, the rest is left to the sweep of the target, which finds its cleanup record.
 */
async function cleanAway(
  scene: MoveScene,
  hand: Parameters<NonNullable<MoveStep['undo']>>[1],
  clean: (session: Awaited<ReturnType<MoveScene['session']>>) => Promise<void>,
): Promise<UndoOutcome> {
  try {
    await clean(await scene.session(hand));
  } catch (error) {
    if (!(error instanceof StepFailure) || error.verdict !== 'host-down') throw error;
    const left = await scene.services.store.load('cleanup', {
      move: hand.task.id,
      run: hand.task.execution.run,
      host: hand.task.source,
    });
    if (left !== undefined && left.items.length > 0) throw error;
    hand.log.warn('left to the sweep', { host: hand.task.target, why: error.message });
  }
  return { kind: 'done' };
}
