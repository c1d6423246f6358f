import { parseHostChange } from '../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../shared/contracts/events/requests.ts';
import type { EventHead, Refusal } from '../shared/domain/event.ts';
import type { BatchId } from '../shared/domain/ids.ts';
import type { Json } from '../shared/domain/json.ts';
import { besideId, type RequestRecord } from '../shared/domain/request.ts';
import { CliError } from './cli-error.ts';
import type { Client, Place, Topic } from './client.ts';

/** An event before it is published. */
export interface Draft {
  readonly topic: Topic;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly data: Json;
}

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly batch?: BatchId }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** An answer to a request comes within this time, in milliseconds, unless something is wrong with the pipeline. */
const answerLimitMs = 60_000;
const lookEveryMs = 60;

/** Words of people are ordered by when they are received: no clock of this machine has a say in it. */
const orderedByReceipt: readonly string[] = ['command.requested', 'knob.set'];

/** The CloudEvent of a draft, as text. @param at epoch milliseconds */
function eventText({ source, id, type, data }: Draft, at: number): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    ...(orderedByReceipt.includes(type) ? {} : { time: new Date(at).toISOString() }),
    datacontenttype: 'application/json',
    data,
  });
}

/** The topic that takes events of a type. */
export const topicOf = (type: string): Topic => (type.startsWith('host.') ? 'host-changes' : 'requests');

/**
 * Publishes an event and waits for what becomes of it. What the contract refuses is refused here, with the same
 * words, and is not sent.
 *
 * @throws CliError `no-answer`; StoreUnavailable
 */
export async function submit(client: Client, draft: Draft): Promise<Outcome> {
  return submitText(client, draft.topic, eventText(draft, client.clock.now()));
}

/** The same for an event that somebody else has written. */
export async function submitText(client: Client, topic: Topic, text: string): Promise<Outcome> {
  const head = readHead(topic, text, client.clock.now());
  if ('refusal' in head) return { kind: 'refused', refusal: head.refusal };
  const place = await client.publish(topic, head, text);
  if ('refusal' in place) return { kind: 'refused', refusal: place.refusal };
  return waitForOutcome(client, [place], {
    limitMs: answerLimitMs,
    again: ` with --request-id ${head.id}`,
  });
}

/** What an event says of itself, or why its topic does not take it. */
export function readHead(topic: Topic, text: string, at: number): EventHead | { readonly refusal: Refusal } {
  const parsed = topic === 'requests' ? parseRequest(text, at) : parseHostChange(text, at);
  return parsed.kind === 'event' ? parsed.head : { refusal: parsed.refusal };
}

/**
 * Waits until it stands at one of the places what became of a request.
 * @param again what makes the same command the same request
 * @throws CliError `no-answer`
 */
export async function waitForOutcome(
  client: Client,
  places: readonly [Place, ...Place[]],
  { limitMs, again }: { readonly limitMs: number; readonly again: string },
): Promise<Outcome> {
  const { clock } = client;
  const limit = clock.now() + limitMs;
  for (;;) {
    const rows = await Promise.all(places.map((place) => rowAt(client, place)));
    for (const row of rows) {
      const outcome = row === undefined ? undefined : outcomeOf(row);
      if (outcome !== undefined) return outcome;
    }
    if (clock.now() >= limit) throw noAnswer(places[0], rows[0], limitMs, again);
    await clock.sleep(lookEveryMs);
  }
}

/** Another request may have had this id before: ours is then kept beside it. */
async function rowAt({ store }: Client, { source, id, bodyHash }: Place): Promise<RequestRecord | undefined> {
  const first = await store.load('request', { source, id });
  if (first === undefined || bodyHash === undefined || first.bodyHash === bodyHash) return first;
  return store.load('request', { source, id: besideId({ id, bodyHash }) });
}

function outcomeOf({ outcome }: RequestRecord): Outcome | undefined {
  switch (outcome.kind) {
    case 'pending':
      return undefined;
    case 'accepted':
      return outcome;
    case 'refused':
      return {
        kind: 'refused',
        refusal: { ...outcome.failure, ...(outcome.field === undefined ? {} : { field: outcome.field }) },
      };
    default:
      return outcome satisfies never;
  }
}

function noAnswer({ id }: Place, row: RequestRecord | undefined, limitMs: number, again: string): CliError {
  const seconds = String(limitMs / 1_000);
  return new CliError({
    code: 'no-answer',
    sentence: `Request ${id} has no answer after ${seconds} s: ${row === undefined ? 'it has not arrived' : 'it is being worked on'}`,
    cure: `give the same command again${again}: it is carried out once, and you see what became of it`,
  });
}
