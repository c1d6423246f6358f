import type { Alarm } from './alarm.ts';
import type { ClaimCheck, Selection } from './batch.ts';
import type { Command } from './command.ts';
import type { Failure } from './failure.ts';
import type { Profile } from './host.ts';
import type { KnobSetting } from './fleet.ts';
import type { EndpointName, HostName } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { Wishes } from './placement.ts';
import type { BatchPolicy } from './policy.ts';
import type { Traced } from './trace.ts';

/** What every event says about itself, whatever it is about. */
export interface EventHead extends Traced {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /**
   * SHA-256 of type and data in canonical form, or of the whole text where that cannot be read: a repeat has the
   * same, another request with its id has not.
   */
  readonly bodyHash: string;
  /** SHA-256 of the whole text, of what is published for the API: its row knows no other hash. */
  readonly textHash?: string;
  /** Its `traceparent` is none: it was passed over, as W3C Trace Context asks. */
  readonly traceUnreadable?: true;
}

/** What publishers ask for on the `requests` topic. */
export type RequestEvent =
  | {
      readonly kind: 'move-batch';
      readonly reason: string;
      readonly selection:
        | { readonly kind: 'value'; readonly selection: Selection }
        | { readonly kind: 'reference'; readonly check: ClaimCheck };
      readonly policy: BatchPolicy;
    }
  | {
      readonly kind: 'register-endpoint';
      readonly endpoint: EndpointName;
      readonly host: HostName;
      readonly database: string;
      readonly wishes: Wishes;
    }
  | {
      readonly kind: 'change-endpoint';
      readonly endpoint: EndpointName;
      /** What is changed, and to what; null: it is wished no longer. */
      readonly wishes: ChangedWishes;
      /** The publisher's own count: of two changes of a wish the later one stands, whichever arrives first. */
      readonly sequence: number;
    }
  | ({ readonly kind: 'command' } & Command)
  | {
      readonly kind: 'set-knob';
      readonly setting: KnobSetting;
      readonly reason: string;
      /** Epoch milliseconds: of two settings the later one stands, whichever arrives first. */
      readonly at: number;
    };

/** Some of the wishes; of those that may be absent, null takes one away. */
export type ChangedWishes = {
  readonly [Name in keyof Wishes]?: undefined extends Wishes[Name]
    ? NonNullable<Wishes[Name]> | null
    : Wishes[Name];
};

/** What happens to hosts, on the `host-changes` topic. */
export type HostChange =
  | {
      readonly kind: 'register';
      readonly host: HostName;
      readonly driver: string;
      readonly url: string;
      readonly replicationAddress: string;
      readonly clientAddress: string;
      readonly secret?: string;
      readonly zone: string;
      readonly capacityBytes?: number;
      /** Absent: what is known of them stays. */
      readonly labels?: Readonly<Record<string, string>>;
      readonly options: JsonObject;
    }
  | {
      readonly kind: 'change';
      readonly host: HostName;
      /** What is changed, and to what; the rest stays. */
      readonly profile: Partial<Profile>;
      /** As for intents, for each part of the profile by itself. */
      readonly sequence: number;
    }
  | {
      readonly kind: 'cordon' | 'uncordon' | 'remove';
      readonly host: HostName;
      readonly reason: string;
      /** The publisher's own count: of two intents the later one stands, whichever arrives first. */
      readonly sequence: number;
    }
  | {
      readonly kind: 'drain';
      readonly host: HostName;
      readonly reason: string;
      readonly sequence: number;
      readonly target?: HostName;
      /** Epoch milliseconds: when the host is to be empty. */
      readonly deadline?: number;
      readonly policy: BatchPolicy;
    }
  | {
      readonly kind: 'fail';
      readonly host: HostName;
      readonly signal: string;
      /** Epoch milliseconds: when it was so. Words about one signal are ordered by it, whichever arrives first. */
      readonly at: number;
      readonly reason?: string;
    }
  | {
      readonly kind: 'alarm';
      readonly alarm: Alarm;
    }
  | {
      readonly kind: 'recover';
      readonly host: HostName;
      readonly signal: string;
      readonly at: number;
      readonly reason?: string;
    };

/** Why an event is not acted on: a code, a sentence, the cure, and the field where it is wrong. */
export interface Refusal extends Failure {
  readonly field?: string;
}

/** An event as it came through the wall. A refused one too has a head: its publisher's, or one made of its content. */
export type Parsed<E> =
  | { readonly kind: 'event'; readonly head: EventHead; readonly event: E }
  | { readonly kind: 'refused'; readonly head: EventHead; readonly refusal: Refusal };
