import type { ChildProcess } from 'node:child_process';
import { CloudError, type CloudErrorCode } from './cloud-error.ts';
import { engineMessage, type EngineCall } from './protocol.ts';

/** Who hears what the engine says unasked. */
export interface LinkListener {
  readonly notice: (text: string) => void;
  readonly line: (functionName: string, line: string) => void;
  /** The engine ended, or cannot go on, without having been told to. */
  readonly death: (reason: string) => void;
}

type Call = EngineCall extends infer One ? (One extends EngineCall ? Omit<One, 'id'> : never) : never;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CloudError) => void;
}

const CODES: ReadonlySet<string> = new Set<CloudErrorCode>([
  'BinaryMissing',
  'CloudAlreadyRunning',
  'FunctionUnknown',
  'PackagingFailed',
  'PortTaken',
  'ResourceRefused',
  'ScheduleUnknown',
  'ServiceRefused',
  'TemplateUnreadable',
  'TemplateUnresolvable',
]);

const isCode = (code: string): code is CloudErrorCode => CODES.has(code);

/** Calls to the engine's process, and what it says by itself. */
export class EngineLink {
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly #engine: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #endExpected = true;
  #fatal: string | undefined;

  constructor(engine: ChildProcess, listener: LinkListener) {
    this.#engine = engine;
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        const reason = `The embedded cloud ended (${this.#fatal ?? how}); its log is logs/engine.log in the state folder.`;
        for (const { reject } of this.#pending.values()) reject(new CloudError('CloudStopped', reason));
        this.#pending.clear();
        if (!this.#endExpected) listener.death(reason);
        resolve();
      };
      engine.once('error', (error) => {
        end(error.message);
      });
      engine.once('exit', (code, signal) => {
        end(signal ?? `status ${String(code)}`);
      });
    });
    engine.on('message', (raw) => {
      const message = engineMessage.parse(raw);
      if (message.kind === 'notice') listener.notice(message.text);
      else if (message.kind === 'line') listener.line(message.functionName, message.line);
      else if (message.kind === 'fatal') this.#fatal = message.message;
      else this.#settle(message);
    });
  }

  /** From now on an end that nobody asked for is told. */
  expectLife(): void {
    this.#endExpected = false;
  }

  /** From now on the engine's end is wanted. */
  expectEnd(): void {
    this.#endExpected = true;
  }

  /** Asks the engine. Rejects with `CloudError`, also when it ends before it has answered. */
  call(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#engine.connected) {
        reject(new CloudError('CloudStopped', 'The embedded cloud has ended.'));
        return;
      }
      this.#lastId += 1;
      this.#pending.set(this.#lastId, { resolve, reject });
      this.#engine.send({ ...call, id: this.#lastId });
    });
  }

  #settle(
    message:
      | { kind: 'answer'; id: number; value?: unknown }
      | { kind: 'refusal'; id: number; code: string; message: string },
  ): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'answer') pending?.resolve(message.value);
    else
      pending?.reject(
        new CloudError(isCode(message.code) ? message.code : 'CloudStartFailed', message.message),
      );
  }
}
