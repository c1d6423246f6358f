import * as z from 'zod';
import { problem } from '../../shared/contracts/api/problems.ts';
import type { Refusal } from '../../shared/domain/event.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Page } from '../../shared/ports/store.ts';
import { CliError } from '../cli-error.ts';
import type { ApiAccess } from '../installation.ts';
import { Turns } from './turns.ts';

/** Questions to the status API, as many at a time as its usage plan leaves room for. */
export interface ApiCaller {
  /** @returns undefined when there is no such thing @throws CliError */
  find<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema> | undefined>;
  /** A page of a list. @throws CliError */
  page<Item extends z.ZodType>(
    path: string,
    name: string,
    item: Item,
    asked?: Asked,
  ): Promise<Page<z.output<Item>>>;
  /**
   * Puts a request down; the same id and body again are the same request.
   * @returns why it was not put down
   * @throws CliError
   */
  post(path: string, id: string, body: object): Promise<Refusal | undefined>;
}

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly cursor?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The longest that an answer may take, in milliseconds; API Gateway gives up sooner. */
const patienceMs = 15_000;
/** Waits before a question is asked again that was not answered: a look at a batch must not die of one bad moment. */
const waitsMs = [250, 500, 1_000, 2_000, 4_000] as const;
const mostItems = '500';

export function createApiCaller({ url, key }: ApiAccess, clock: Clock): ApiCaller {
  const turns = new Turns(clock);
  return {
    async find(path, schema) {
      const answer = await ask(path);
      if (answer.status === 404 && codeIn(answer) !== 'route-unknown') return undefined;
      return read(schema, good(answer));
    },
    async page(path, name, item, { query = {}, cursor } = {}) {
      const parameters = new URLSearchParams({
        ...query,
        limit: mostItems,
        ...(cursor === undefined ? {} : { page: cursor }),
      });
      const body = good(await ask(`${path}?${parameters.toString()}`));
      const { next, [name]: items } = read(z.looseObject({ next: z.string().optional() }), body);
      return { items: read(z.array(item), items), ...(next === undefined ? {} : { cursor: next }) };
    },
    async post(path, id, body) {
      const answer = await ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify(body),
      });
      // What it says of the request itself is an answer to it; all else is about the API.
      if (answer.status === 400 || answer.status === 404 || answer.status === 409) return refusalIn(answer);
      good(answer);
      return undefined;
    },
  };

  /** Everything is safe to ask again. */
  async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers(init.headers);
    headers.set('x-api-key', key);
    for (const ms of waitsMs) {
      const answer = await turns.take(() => once(path, { ...init, headers }));
      if (!(answer instanceof CliError) && answer.status !== 429 && answer.status !== 503) return answer;
      await clock.sleep(ms);
    }
    const last = await turns.take(() => once(path, { ...init, headers }));
    if (last instanceof CliError) throw last;
    return last;
  }

  async function once(path: string, init: RequestInit): Promise<Answer | CliError> {
    try {
      const answer = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(patienceMs) });
      return { status: answer.status, body: jsonIn(await answer.text()) };
    } catch (cause) {
      return new CliError(
        {
          code: 'api-away',
          sentence: `The API at ${new URL(url).host} does not answer: ${reasonOf(cause)}`,
          cure: 'see whether DRAY_API_URL is right, the installation runs, and this machine reaches it',
        },
        undefined,
        { cause },
      );
    }
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const codeIn = ({ body }: Answer): string | undefined => problem.safeParse(body).data?.code;

/** Cures in the words of the command line, where the API's own are for programs. */
const cures: Readonly<Record<string, string>> = {
  'api-key-refused':
    'set DRAY_API_KEY to a key of this stage: docs/api.md says where it is; dray env prints that of an embedded cloud',
  'route-unknown':
    'see whether DRAY_API_URL is the whole address, with the stage, and use the dray of the version that is deployed',
  'rate-exceeded':
    'wait a minute and try again: whoever else uses this key shares what the usage plan allows',
};

/** What an answer that is no success says: code, sentence, cure. */
function refusalIn({ status, body }: Answer): Refusal {
  const said = problem.safeParse(body);
  if (said.success) {
    const { code, title, cure } = said.data;
    return { code, sentence: title, cure: cures[code] ?? cure };
  }
  return {
    code: 'api-unexpected',
    sentence: `What answers at DRAY_API_URL is not the status API: it says ${String(status)}`,
    cure: 'see whether DRAY_API_URL is the whole address, with the stage: the output ApiUrl of its stack, or what dray env prints',
  };
}

/** @throws CliError */
function good(answer: Answer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new CliError(refusalIn(answer));
}

/** @throws CliError */
function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new CliError({
    code: 'answer-unreadable',
    sentence: `The API answers in a form that this dray does not know: ${z.prettifyError(parsed.error).split('\n')[0] ?? ''}`,
    cure: 'use the dray of the version that is deployed, and see whether DRAY_API_URL is the address of the API',
  });
}

/** Node says `fetch failed`, and why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
