import * as z from 'zod';
import type { Failure } from '../shared/domain/failure.ts';
import type { Letter } from '../shared/domain/letter.ts';
import { relayFailures, type DeadLetter } from './dead-letters.ts';
import { count } from './quantity.ts';

/** A message that was set aside, with what is known of why. */
export interface KnownLetter {
  readonly letter: DeadLetter;
  readonly known: Letter | undefined;
}

const silentDeath: Failure = {
  code: 'function-ended',
  sentence: 'its function ended without a word each time: killed, out of memory or out of time',
  cure: "look at the function's log and limits, then put it back",
};

const streamFailure = z.object({
  requestContext: z.object({ condition: z.string(), approximateInvokeCount: z.number() }),
});
const putObject = z.object({ s3: z.object({ object: z.object({ key: z.string() }) }) });
const pointer = z.union([
  z.object({ task: z.string() }).transform(({ task }) => task),
  z.object({ batch: z.string() }).transform(({ batch }) => batch),
  z.object({ host: z.string() }).transform(({ host }) => host),
  z.object({ id: z.string() }).transform(({ id }) => id),
  z.object({ Records: z.array(putObject).min(1) }).transform(({ Records: [first] }) => first?.s3.object.key),
]);

/** Why it failed, as far as anybody knows. */
export function causeOf({ letter, known }: KnownLetter): Failure {
  if (known?.failure !== undefined) return known.failure;
  const stream = letter.queue === relayFailures ? streamFailure.safeParse(asJson(letter.body)) : undefined;
  if (stream?.success !== true) return silentDeath;
  const { condition, approximateInvokeCount } = stream.data.requestContext;
  return {
    code: 'changes-not-relayed',
    sentence: `changes of rows could not be passed on (${condition} after ${count(approximateInvokeCount, 'try', 'tries')})`,
    cure: 'the sweep tells what is still to be told; see why in the log of relay-changes, then discard it',
  };
}

/** How often its function tried. */
export const attempts = ({ letter, known }: KnownLetter): number =>
  known === undefined || known.receives === 0 ? letter.receives : known.receives;

/** What a message is about: a move, a batch, a host, a request, the key of a manifest. */
export function aboutOf({ body }: DeadLetter): string | undefined {
  const found = pointer.safeParse(asJson(body));
  return found.success ? found.data : undefined;
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** For programs; this shape is stable (docs/cli.md). */
export function reportOf(one: KnownLetter) {
  const { letter, known } = one;
  const { code, sentence, cure } = causeOf(one);
  return {
    id: letter.id,
    queue: letter.queue,
    sentAt: new Date(letter.sentAt).toISOString(),
    attempts: attempts(one),
    about: aboutOf(letter) ?? null,
    error: { code, sentence, cure },
    failedAt: known === undefined ? null : new Date(known.at).toISOString(),
    body: letter.body,
  };
}
