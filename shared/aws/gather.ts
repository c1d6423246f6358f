/** What is asked for in one moment travels together. */
export interface GatherOptions<Item, Answer> {
  /** At most this many in one call. */
  readonly limit: number;
  /** At most this many calls at once; what is asked for meanwhile gathers for the next. */
  readonly lanes: number;
  /** Items of one identity never travel in the same call. */
  readonly identity?: (item: Item) => string;
  /** Answers in the order of the items. */
  readonly perform: (items: readonly Item[]) => Promise<readonly Answer[]>;
}

interface Pending<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A function that performs single items, in as few calls as it can: items of the same turn of the event loop,
 * and those that come while all lanes are busy, go together. Each is answered for itself.
 */
export function gather<Item, Answer>(options: GatherOptions<Item, Answer>): (item: Item) => Promise<Answer> {
  const { limit, lanes, identity, perform } = options;
  let pending: Pending<Item, Answer>[] = [];
  let busy = 0;
  let scheduled = false;

  return (item) =>
    new Promise<Answer>((resolve, reject) => {
      pending.push({ item, resolve, reject });
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        send();
      });
    });

  function send(): void {
    while (busy < lanes && pending.length > 0) {
      busy += 1;
      void call(nextGroup()).finally(() => {
        busy -= 1;
        send();
      });
    }
  }

  function nextGroup(): readonly Pending<Item, Answer>[] {
    const seen = new Set<string>();
    const group: Pending<Item, Answer>[] = [];
    const rest: Pending<Item, Answer>[] = [];
    for (const each of pending) {
      const name = identity?.(each.item);
      const fits = group.length < limit && (name === undefined || !seen.has(name));
      (fits ? group : rest).push(each);
      // Also one that does not fit holds its place: what comes after it of its identity stays behind it.
      if (name !== undefined) seen.add(name);
    }
    pending = rest;
    return group;
  }

  async function call(group: readonly Pending<Item, Answer>[]): Promise<void> {
    try {
      const answers = await perform(group.map(({ item }) => item));
      if (answers.length !== group.length) {
        throw new RangeError(
          `${String(group.length)} items were sent, ${String(answers.length)} answers came`,
        );
      }
      for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
