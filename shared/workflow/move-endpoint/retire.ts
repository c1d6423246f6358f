import type { Move } from '../../domain/move.ts';
import type { RetireSession } from '../../ports/driver.ts';
import type { Step } from '../engine/workflow.ts';
import { loadHost } from '../host-site.ts';
import { cleanupLedger } from './cleanup-ledger.ts';
import { resultsOf } from './results.ts';
import { missing, type MoveScene } from './scene.ts';
import type { Phase } from './workflow.ts';

/** 12. When its time has come, the fenced source copy is dropped, by its own identity and no other. */
const retire: Step<Move, MoveScene<RetireSession>> = {
  async run(scene, hand) {
    const { activate } = resultsOf(hand.task);
    if (activate === undefined) throw missing('the retained copy');
    const leftMs = activate.openedAt + hand.task.policy.retentionMs - scene.services.clock.now();
    if (leftMs > 0) {
      const until = new Date(activate.openedAt + hand.task.policy.retentionMs).toISOString();
      return {
        kind: 'wait',
        code: 'retention',
        on: `the source copy is kept until ${until}`,
        afterMs: leftMs,
      };
    }
    const { services } = scene;
    const { source } = hand.task;
    if ((await loadHost(services, source)).intent.value === 'retired') {
      // The host was taken away, and what was on it with it: nobody is asked who would never answer.
      const ledger = cleanupLedger(services.store, hand.task, hand.token);
      const gone = (await ledger.list(source)).map(({ key }) => key);
      await ledger.forget(source, gone);
      hand.log.warn('a copy is given up: its host has been removed', { host: source });
      return { kind: 'done' };
    }
    await (await scene.session(hand)).retire(activate.retained);
    return { kind: 'done' };
  },
};

export const retirePhase: Phase<RetireSession> = { name: 'retire', steps: { retire } };
