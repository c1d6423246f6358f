import type { Refusal } from '../shared/domain/event.ts';

/** How `dray` ends. */
export const exit = {
  /** Done; with `--wait`, every endpoint has moved. */
  done: 0,
  /** Refused, failed, or not every endpoint has moved. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Interrupted with Ctrl-C. */
  interrupted: 130,
} as const;

/** Something that a person must know and can act on: what, why, what next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly refusal: Refusal;
  readonly exitCode: number;

  constructor(refusal: Refusal, exitCode: number = exit.failed, options?: ErrorOptions) {
    super(`${refusal.code}: ${refusal.sentence}`, options);
    this.refusal = refusal;
    this.exitCode = exitCode;
  }
}

/** The command line cannot mean anything. */
export function usageError(code: string, sentence: string, cure: string): CliError {
  return new CliError({ code, sentence, cure }, exit.usage);
}
