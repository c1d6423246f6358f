import type { Execution } from './execution.ts';
import type { Failure } from './failure.ts';

/** What a piece of work does, or waits for, or ended as, in a sentence. */
export function explainState({ status }: Execution): string {
  switch (status.state) {
    case 'waiting':
      return `waits for ${status.waiting.on}`;
    case 'running':
    case 'rolling-back': {
      const doing = status.state === 'running' ? status.step : `undo of ${status.step}`;
      if (status.waiting !== undefined) return `${doing}: ${status.waiting.on}`;
      if (status.lastFailure !== undefined && status.failures > 0) {
        return `${doing}, after ${String(status.failures)} failed: ${tell(status.lastFailure)}`;
      }
      return doing;
    }
    case 'completed':
      return 'done';
    case 'rolled-back':
      return `rolled back: ${tell(status.reason)}`;
    case 'stuck':
      return `stuck in ${status.direction === 'back' ? 'the undo of ' : ''}${status.step}: ${tell(status.reason)}`;
    default:
      return status satisfies never;
  }
}

const tell = ({ code, sentence, cure }: Failure): string => `${sentence} (${code}); ${cure}`;
