/**
 * The engine's process: leader of the process group in which everything of one cloud runs. It lives as long as the
 * channel to its parent: when that closes, for whatever reason, the whole group is killed.
 */
import { CloudError, messageOf } from '../cloud-error.ts';
import { engineCall, type EngineCall, type EngineMessage } from '../protocol.ts';
import { startEngine, type Engine } from './engine.ts';

process.on('disconnect', killGroup);
if (!process.connected) killGroup();
// Ctrl-C belongs to the parent, which stops us in order.
process.on('SIGINT', () => undefined);

/** Time for the last message to reach the parent. */
const FAREWELL_MS = 100;

let engine: Engine | undefined;

function killGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}

function tell(message: EngineMessage): void {
  if (process.connected) process.send?.(message);
}

async function answer(call: EngineCall): Promise<unknown> {
  if (call.method === 'start') {
    engine = await startEngine(call.options, {
      notice: (text) => {
        tell({ kind: 'notice', text });
      },
      line: (functionName, line) => {
        tell({ kind: 'line', functionName, line });
      },
      fatal: (message) => {
        tell({ kind: 'fatal', message });
        setTimeout(killGroup, FAREWELL_MS);
      },
    });
    return engine.describe();
  }
  if (engine === undefined) throw new CloudError('CloudStopped', 'The cloud has not been started.');
  switch (call.method) {
    case 'describe':
      return engine.describe();
    case 'environments':
      return engine.environments();
    case 'stats':
      return engine.stats();
    case 'fire':
      return engine.fire(call.schedule);
    case 'invoke':
      return engine.invoke(call.functionName, call.payload, true);
    case 'deploy':
      return engine.deploy(call.root);
    case 'stop':
      return engine.stop();
  }
}

process.on('message', (raw) => {
  const call = engineCall.parse(raw);
  answer(call).then(
    (value) => {
      if (call.method !== 'stop') {
        tell({ kind: 'answer', id: call.id, value });
        return;
      }
      process.removeListener('disconnect', killGroup);
      process.send?.({ kind: 'answer', id: call.id } satisfies EngineMessage, () => process.exit(0));
    },
    (error: unknown) => {
      const code = error instanceof CloudError ? error.code : 'CloudStartFailed';
      tell({ kind: 'refusal', id: call.id, code, message: messageOf(error) });
    },
  );
});
