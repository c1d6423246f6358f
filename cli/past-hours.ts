import type { Clock } from '../shared/ports/clock.ts';
import type { Page } from '../shared/ports/store.ts';
import { everyPage } from '../shared/workflow/every-page.ts';

const hourMs = 3_600_000;
/** Hours that are asked for at once. */
const abreast = 24;

/** What is listed by the hour, over the hours that have passed since then; newest first. */
export async function pastHours<T>(
  clock: Clock,
  sinceMs: number,
  turn: (hour: string, cursor?: string) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const now = clock.now();
  const hours = Array.from({ length: Math.ceil(sinceMs / hourMs) + 1 }, (_, nth) =>
    new Date(now - nth * hourMs).toISOString().slice(0, 13),
  );
  const found: T[] = [];
  for (let from = 0; from < hours.length; from += abreast) {
    const pages = await Promise.all(
      hours.slice(from, from + abreast).map(async (hour) => everyPage((cursor) => turn(hour, cursor))),
    );
    for (const items of pages) found.push(...items.toReversed());
  }
  return found;
}
