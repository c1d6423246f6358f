import { StepFailure } from '../../domain/failure.ts';
import { freeBytes, type Host } from '../../domain/host.ts';
import type { HostName, MoveId } from '../../domain/ids.ts';
import type { Move } from '../../domain/move.ts';
import type { Preflight, StepEnd, TransferSession } from '../../ports/driver.ts';
import type { Hand } from '../engine/workflow.ts';
import { loadHost } from '../host-site.ts';
import { storedOn } from '../planning/fleet.ts';
import { pack } from './carry.ts';
import { missing, type MoveScene } from './scene.ts';
import { resultsOf } from './results.ts';
import { tellOfLag, tellOfLatency } from './tell-of-hosts.ts';
import type { Phase, StepIn } from './workflow.ts';

type Scene = MoveScene<TransferSession>;
/** None sends the work back: what is undone is undone by another function. */
interface TransferStep {
  readonly run: (scene: Scene, hand: Hand<Move>) => Promise<StepEnd>;
}

/** 1. Looks at everything that could stop the move, and changes nothing. */
const preflight: TransferStep = {
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
const reserve: TransferStep = {
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
};

/** A host on which so much is set aside for a move. It mostly is, since it was planned: then nothing is written. */
async function withRoomFor(
  services: Scene['services'],
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
const provision: TransferStep = {
  run: (scene, hand) => scene.carryOn(hand, (session, progress) => session.provision(progress)),
};

/** 4. The bulk of the data. */
const copy: TransferStep = {
  run: (scene, hand) => scene.carryOn(hand, (session, progress) => session.copy(progress)),
};

/** 5. What was written meanwhile, until little is left. */
const catchUp: TransferStep = {
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
const verify: TransferStep = {
  async run(scene, hand) {
    const end = await scene.carryOn(hand, (session, progress) => session.verify(progress));
    if (end.kind !== 'done') return end;
    return { kind: 'done', result: { at: scene.services.clock.now(), report: end.result ?? null } };
  },
};

const steps = {
  preflight,
  reserve,
  provision,
  copy,
  'catch-up': catchUp,
  verify,
} as const satisfies Record<StepIn<'transfer'>, TransferStep>;

/** Steps 1 to 6. */
export const transferPhase: Phase<TransferSession> = { name: 'transfer', steps };
