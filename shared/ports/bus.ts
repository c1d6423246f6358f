import type { BatchId } from '../domain/ids.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Notification } from '../domain/notification.ts';
import type { RequestRecord } from '../domain/request.ts';
import type { TracePlace } from '../domain/trace.ts';

/** A pointer to a piece of work, e.g. a move. */
export interface WorkMessage {
  readonly kind: 'work' | 'dead-man';
  /** The id of the record that is worked on. */
  readonly task: string;
  readonly phase: string;
  /** For a dead-man message: the token of the worker that it watches. */
  readonly token?: number;
}

export interface PlanMessage {
  readonly batch: BatchId;
}

/** Wakes the dispatcher; with a batch, also asks whether that batch is complete. */
export interface DispatchMessage {
  readonly batch?: BatchId;
}

/** A CloudEvent of ours to the world. */
export interface Announcement {
  /** Same id, same event: consumers may drop repeats. */
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly data: JsonObject;
  /** What it is a part of: consumers go on with the trace from there. */
  readonly trace?: TracePlace;
}

/** Messages between our functions: pointers of a few hundred bytes, at least once, in no order. */
export interface Bus {
  sendWork(message: WorkMessage, afterMs: number): Promise<void>;
  sendPlan(message: PlanMessage, afterMs?: number): Promise<void>;
  sendDispatch(message: DispatchMessage, afterMs?: number): Promise<void>;
  sendHostSweep(host: string): Promise<void>;
  announce(announcements: readonly Announcement[]): Promise<void>;
  /** Publishes what was posted to the API, where publishers publish themselves. Others are passed over. */
  publish(requests: readonly RequestRecord[]): Promise<void>;
  /** Tells people. */
  notify(notifications: readonly Notification[]): Promise<void>;
}
