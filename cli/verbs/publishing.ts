import type { Json } from '../../shared/domain/json.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import { exit } from '../cli-error.ts';
import { followBatch } from '../follow.ts';
import { submit, topicOf, type Draft, type Outcome } from '../request.ts';
import { ourSource, type Session } from '../session.ts';
import { styled } from '../text.ts';

/** An event of ours. */
export function draftOf(type: string, data: Json, id: string): Draft {
  return { topic: topicOf(type), source: ourSource(), id, type, data };
}

export interface PublishedOptions {
  readonly json?: boolean;
  readonly wait?: boolean;
  readonly requestId?: string;
}

/** Publishes a request that makes a batch, says what became of it, and stays with the batch if asked to. */
export async function requestBatch(
  session: Session,
  type: string,
  data: Json,
  options: PublishedOptions,
): Promise<number> {
  const client = await session.client();
  const id = options.requestId ?? client.chance.unique();
  return conclude(session, id, await submit(client, draftOf(type, data, id)), options);
}

/** Says what became of a request that makes a batch, and stays with the batch if asked to. @returns the exit code */
export async function conclude(
  session: Session,
  id: string,
  outcome: Outcome,
  options: PublishedOptions,
): Promise<number> {
  if (outcome.kind === 'refused') return sayRefused(session, id, outcome, options);
  const { batch } = outcome;
  if (options.wait === true && batch !== undefined) return waitFor(session, batch, options);
  sayAccepted(session, id, outcome, options);
  return exit.done;
}

async function waitFor(
  session: Session,
  batch: BatchId,
  { json = false }: PublishedOptions,
): Promise<number> {
  if (!json) session.terminal.line(`accepted → ${batch}`);
  return followBatch(session, batch, { json });
}

export function sayAccepted(
  session: Session,
  request: string,
  outcome: Extract<Outcome, { readonly kind: 'accepted' }>,
  { json = false }: PublishedOptions,
): void {
  const { terminal } = session;
  const { batch } = outcome;
  if (json) {
    terminal.json({ request, outcome: 'accepted', ...(batch === undefined ? {} : { batch }) });
    return;
  }
  terminal.line(['accepted', batch === undefined ? '' : ` → ${batch}`]);
  if (batch !== undefined) terminal.line(styled('faint', `  dray batch watch ${batch}`));
}

/** @returns the exit code */
export function sayRefused(
  session: Session,
  request: string,
  { refusal }: Extract<Outcome, { readonly kind: 'refused' }>,
  { json = false }: PublishedOptions,
): number {
  if (json) {
    const { code, field, sentence, cure } = refusal;
    session.terminal.json({
      request,
      outcome: 'refused',
      code,
      ...(field === undefined ? {} : { field }),
      sentence,
      cure,
    });
  } else {
    session.terminal.error(refusal, 'refused');
  }
  return exit.failed;
}
