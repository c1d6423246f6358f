import { SessionLost } from '../../../domain/failure.ts';
import type { Json } from '../../../domain/json.ts';
import type { CutoverSession, MoveJob } from '../../../ports/driver.ts';
import { MoveContext } from '../context.ts';
import { fence, fenceForGood, unfence } from '../fence/fence.ts';
import { held, hurried } from '../guard.ts';
import { OfflineCopy } from '../offline/offline-copy.ts';
import { openTarget, probe } from '../open.ts';
import { predictPause } from '../predict.ts';
import { release } from '../release.ts';
import { confirmOnline, settleOnline, type Settled } from '../settle.ts';

export const begin = (job: MoveJob): CutoverSession => cutoverSession(new MoveContext(job));

export function cutoverSession(context: MoveContext): CutoverSession {
  const offline = new OfflineCopy(context);
  let settled: Settled | undefined;
  let fenceTimings: Json = {};
  return {
    predictPause: () => held(context, () => predictPause(context)),
    fence: () =>
      hurried(context, async () => {
        fenceTimings = { ...(await fence(context)) };
        if (context.isOffline) await offline.begin();
      }),
    unfence: () =>
      hurried(context, async () => {
        settled = undefined;
        await unfence(context);
      }),
    settle: (progress) =>
      hurried(context, async () => {
        if (context.isOffline) return offline.run(progress);
        const online = await settleOnline(context);
        settled = online.settled;
        return { kind: 'done', result: { fence: fenceTimings, settle: online.timings } };
      }),
    confirm: () =>
      hurried(context, async () => {
        if (context.isOffline) return offline.confirm();
        if (settled === undefined) throw new SessionLost('this session has not settled: its fence is gone');
        return confirmOnline(context, settled);
      }),
    fenceForGood: () => hurried(context, () => fenceForGood(context)),
    open: () => hurried(context, () => openTarget(context)),
    probe: () => hurried(context, () => probe(context)),
    release: () => held(context, () => release(context)),
    close: () => context.close(),
  };
}
