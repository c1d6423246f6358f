import * as z from 'zod';
import type { Json } from '../domain/json.ts';
import { readTraceparent, writeTraceparent, type TracePlace } from '../domain/trace.ts';
import type { DispatchMessage, PlanMessage, WorkMessage } from '../ports/bus.ts';
import { batchIdField, hostNameField } from './fields.ts';

/**
 * The messages between our functions, as they stand in a queue. Each carries the version of its form, so that
 * functions of two releases can read each other's while one replaces the other: a field that a release does not know is
 * passed over, and what must not be passed over makes another form.
 */
const version = z.literal(1);
const pointer = z.string().min(1).max(120);

/** Work on a task: sent to the queue of the phase. */
export const workMessage = z
  .object({
    v: version,
    kind: z.enum(['work', 'dead-man']),
    task: pointer,
    phase: z.string().regex(/^[a-z-]{1,30}$/),
    token: z.int().nonnegative().optional(),
  })
  .transform(({ kind, task, phase, token }): WorkMessage => ({
    kind,
    task,
    phase,
    ...(token === undefined ? {} : { token }),
  }));

export const planMessage = z
  .object({ v: version, batch: batchIdField })
  .transform(({ batch }): PlanMessage => ({ batch }));

export const dispatchMessage = z
  .object({ v: version, batch: batchIdField.optional() })
  .transform(({ batch }): DispatchMessage => (batch === undefined ? {} : { batch }));

/** One host to look over for things that a move left behind. */
export const hostSweepMessage = z
  .object({ v: version, host: hostNameField })
  .transform(({ host }) => ({ host }));

/**
 * The text of a message, as the schemas above read it. A few hundred bytes.
 * @param from where in a trace whoever sends it is
 */
export function writeMessage(message: object, from?: TracePlace): string {
  const sender = from === undefined ? {} : { traceparent: writeTraceparent(from) };
  const fields: Record<string, Json> = { v: 1, ...message, ...sender };
  return JSON.stringify(fields);
}

const fromSender = z.object({ traceparent: z.string() });

/** Where in a trace its sender was, by the text of a message or of an event; undefined: it does not say. */
export function senderOf(text: string): TracePlace | undefined {
  try {
    const parsed = fromSender.safeParse(JSON.parse(text));
    return parsed.success ? readTraceparent(parsed.data.traceparent) : undefined;
  } catch {
    return undefined;
  }
}
