import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { JsonObject } from '../../domain/json.ts';

/** What was posted to the API, as its row has it. */
export interface Posted {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** Where it was posted to: `/batches/bt_…/pause`. */
  readonly to: string;
  /** The text of the body. */
  readonly body: string;
}

/** The event that a posting is, and where it belongs. */
export interface PostedEvent {
  readonly topic: 'requests' | 'host-changes';
  readonly text: string;
}

const bodyObject = z.custom<JsonObject>((it) => typeof it === 'object' && it !== null && !Array.isArray(it));

/** The field of an event that names what a route is about. */
const subjects: Readonly<Record<string, string>> = {
  batches: 'batch',
  moves: 'move',
  hosts: 'host',
  endpoints: 'endpoint',
};

/**
 * The event as its publisher would have published it. The same row is the same text, for ever.
 * @throws SyntaxError, ZodError when the body is no object in JSON, which the API does not let pass
 */
export function eventOf({ source, id, type, receivedAt, to, body }: Posted): PostedEvent {
  const [, kind = '', name, verb] = to.split('/');
  const fields = bodyObject.parse(JSON.parse(body));
  const topic = type.startsWith('host.') ? 'host-changes' : 'requests';
  const subject = subjects[kind];
  const about = name === undefined || subject === undefined ? {} : { [subject]: name };
  const data = {
    ...fields,
    ...about,
    ...(verb !== undefined && type === 'command.requested' ? { verb } : {}),
  };
  const time = new Date(receivedAt).toISOString();
  return { topic, text: JSON.stringify({ specversion: '1.0', id, source, type, time, data }) };
}

/** The hash by which whoever takes the event knows it for the one that was posted. */
export function hashOfPosting(posted: Posted): string {
  try {
    return hashOfText(eventOf(posted).text);
  } catch {
    return hashOfText(posted.body);
  }
}

export const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Was it the API that put an event down, going by its source? */
export const isOfApi = (source: string): boolean => /^\/(?:api-keys|iam)\//.test(source);
