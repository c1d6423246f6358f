import * as z from 'zod';
import type { Connection } from './connection.ts';
import { troubleIn, Unanswered } from './trouble.ts';

type Query = Readonly<Record<string, string>>;

/** The longest that an answer may take, in milliseconds; API Gateway gives up sooner. */
const patienceMs = 15_000;
/** Of a page. */
const mostItems = '500';

/** Questions to the status API, until `signal` says that nobody wants to know any more. */
export class Api {
  readonly #connection: Connection;
  readonly #signal: AbortSignal;

  constructor(connection: Connection, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
  }

  /** @throws Unanswered, ZodError */
  async get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    query: Query = {},
  ): Promise<z.output<Schema>> {
    const parameters = new URLSearchParams(query).toString();
    return schema.parse(await this.#ask(`${path}${parameters === '' ? '' : `?${parameters}`}`, {}));
  }

  /**
   * A list from its beginning, page after page.
   * @param most no page is asked for once there are so many
   * @throws Unanswered, ZodError
   */
  async list<Item extends z.ZodType>(
    path: string,
    name: string,
    item: Item,
    query: Query = {},
    most = Infinity,
  ): Promise<z.output<Item>[]> {
    const items: z.output<Item>[] = [];
    const schema = z.looseObject({ next: z.string().optional() });
    let next: string | undefined;
    do {
      const page: z.output<typeof schema> = await this.get(path, schema, {
        ...query,
        limit: mostItems,
        ...(next === undefined ? {} : { page: next }),
      });
      items.push(...z.array(item).parse(page[name]));
      next = page.next;
    } while (next !== undefined && items.length < most);
    return items;
  }

  /**
   * Asks for something to be done; the same id again is the same request.
   * @returns what the API has answered
   * @throws Unanswered
   */
  async post(path: string, id: string, body: object): Promise<unknown> {
    return this.#ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': id },
      body: JSON.stringify(body),
    });
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const { url, key } = this.#connection;
    const headers = new Headers(init.headers);
    headers.set('x-api-key', key);
    let answer: Response;
    try {
      answer = await fetch(url + path, {
        ...init,
        headers,
        cache: 'no-store',
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(patienceMs)]),
      });
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw new Unanswered(
        {
          code: 'api-away',
          sentence: `The API at ${new URL(url).host} does not answer.`,
          cure: 'It is asked again by itself. See whether the installation runs, and whether this machine reaches it.',
        },
        { cause },
      );
    }
    const body: unknown = await answer.json().catch(() => undefined);
    if (!answer.ok) throw new Unanswered(troubleIn(answer.status, body));
    return body;
  }
}

/** Does some work for each of many, a few at a time. @throws what the first of them throws */
export async function eachOf<T>(
  items: readonly T[],
  abreast: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items].reverse();
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: Math.min(abreast, items.length) }, lane));
}
