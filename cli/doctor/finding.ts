import type { Refusal } from '../../shared/domain/event.ts';

/** What `dray doctor` says of one thing. */
export interface Finding {
  /** What was looked at: `disk`, `host a`. */
  readonly of: string;
  /** `bad`: it does not work. `attention`: it works, and not as one expects. */
  readonly state: 'good' | 'attention' | 'bad';
  readonly code: string;
  readonly sentence: string;
  /** What to do; absent where nothing is wrong. */
  readonly cure?: string;
}

export const good = (of: string, sentence: string): Finding => ({ of, state: 'good', code: 'ok', sentence });

export const wrong = (
  of: string,
  { code, sentence, cure }: Pick<Refusal, 'code' | 'sentence' | 'cure'>,
  state: 'attention' | 'bad' = 'bad',
): Finding => ({ of, state, code, sentence, cure });
