import type { Page } from '../ports/store.ts';

/** A listing, page after page. */
export async function* pagesOf<T>(
  turn: (cursor?: string) => Promise<Page<T>>,
): AsyncGenerator<readonly T[], undefined> {
  let cursor: string | undefined;
  do {
    const page = await turn(cursor);
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** All items of a listing. */
export async function everyPage<T>(turn: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pagesOf(turn)) items.push(...page);
  return items;
}
