import type { Failure } from './failure.ts';
import type { Json } from './json.ts';

/** Something that has happened to a piece of work. Past tense: a fact cannot be refused, only be of no consequence. */
export type Fact =
  /** The dispatcher has taken the permits. */
  | { readonly kind: 'admitted' }
  /** Something more urgent needs its permits, and nothing has been done yet: it waits for others again. */
  | { readonly kind: 'set-back'; readonly code: string; readonly on: string }
  /** A worker wants to work on it; `token` is the one it saw, so that two claims cannot both be right. */
  | { readonly kind: 'claimed'; readonly owner: string; readonly leaseMs: number }
  | {
      readonly kind: 'lease-extended';
      readonly token: number;
      readonly leaseMs: number;
      /** What the step shows of itself while it works. */
      readonly progress?: Json;
    }
  | {
      readonly kind: 'progressed';
      readonly token: number;
      readonly progress?: Json;
      /** From here only forward. */
      readonly forwardOnly?: true;
    }
  | { readonly kind: 'step-finished'; readonly token: number; readonly ms: number; readonly result?: Json }
  | {
      readonly kind: 'step-waited';
      readonly token: number;
      readonly code: string;
      readonly on: string;
      readonly afterMs: number;
      readonly ms: number;
      readonly progress?: Json;
    }
  /** The invocation's time is over; the step stopped at a safe point. */
  | { readonly kind: 'handed-over'; readonly token: number; readonly ms: number; readonly progress?: Json }
  /** The step reported a failure. `chance` in [0, 1) spreads the back-off. */
  | {
      readonly kind: 'step-failed';
      readonly token: number;
      readonly ms: number;
      readonly failure: Failure;
      readonly fatal: boolean;
      readonly chance: number;
    }
  /** Nobody's fault (host down, throttled): wait and charge nothing. */
  | {
      readonly kind: 'step-hindered';
      readonly token: number;
      readonly ms: number;
      readonly failure: Failure;
      readonly chance: number;
    }
  /** What later steps had built on is gone: their undos have run, `to` is next. */
  | {
      readonly kind: 'retreated';
      readonly token: number;
      readonly ms: number;
      readonly to: string;
      readonly failure: Failure;
      readonly chance: number;
    }
  /** The undo of a step found that the pivot had been passed: forward, at `step`. */
  | { readonly kind: 'undo-refused'; readonly token: number; readonly step: string }
  /** A message of this phase failed again and again, with nothing of a step's to blame. */
  | { readonly kind: 'poisoned'; readonly phase: string; readonly failure: Failure }
  /** It may not begin now: it stands in nobody's line before `until` (epoch milliseconds), unless it is woken. */
  | { readonly kind: 'put-off'; readonly code: string; readonly on: string; readonly until: number }
  /** What it waited for may have come: it is looked at now. `on` and `code`: what it waits for in line, if it has not begun. */
  | { readonly kind: 'woken'; readonly code: string; readonly on: string; readonly note?: string }
  /** The work that it is joined to has ended: as it was to, or with a failure. */
  | { readonly kind: 'carrier-ended'; readonly failure?: Failure }
  /** A person wants it tried again from where it gave up. */
  | { readonly kind: 'retried'; readonly note: string }
  /** A person or a rule wants it undone. */
  | { readonly kind: 'abandoned'; readonly failure: Failure };

export type FactKind = Fact['kind'];
export type FactOf<K extends FactKind> = Extract<Fact, { readonly kind: K }>;
