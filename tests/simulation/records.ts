import { codecs } from '../../shared/aws/layout.ts';
import type { Batch } from '../../shared/domain/batch.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Notification } from '../../shared/domain/notification.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Change } from '../../shared/workflow/relay-changes.ts';
import type { RecordKind, Records } from '../../shared/ports/store.ts';
import { readRecord } from '../support/memory-store.ts';
import type { MemoryChange } from '../support/memory-table.ts';

/** What stands in the table right now, read as records: what an all-seeing eye compares with the hosts. */
export class Standing {
  readonly hosts = new Map<string, Host>();
  readonly placements = new Map<string, Placement>();
  readonly batches = new Map<string, Batch>();
  readonly moves = new Map<string, Move>();
  readonly requests = new Map<string, RequestRecord>();
  readonly notifications = new Map<string, Notification>();
  /** By move, run and host, the keys that are recorded. */
  readonly cleanups = new Map<string, ReadonlySet<string>>();
  /** The same, of every key that was ever recorded. */
  readonly #recorded = new Set<string>();
  /** Told of each key that is not recorded any more. */
  onForgotten: (
    of: { readonly move: string; readonly run: number; readonly host: string },
    key: string,
  ) => void = () => undefined;

  /** Takes a write of the table. @returns it as the stream tells it; undefined for what is no record */
  take({ before, after }: MemoryChange): Change | undefined {
    const row = after ?? before;
    if (row === undefined) return undefined;
    const name = `${row.pk} ${row.sk}`;
    switch (row['kind']) {
      case 'host':
        return { kind: 'host', ...put(this.hosts, 'host', name, after) };
      case 'endpoint':
        return { kind: 'endpoint', ...put(this.placements, 'endpoint', name, after) };
      case 'batch':
        return { kind: 'batch', ...put(this.batches, 'batch', name, after) };
      case 'move':
        return { kind: 'move', ...put(this.moves, 'move', name, after) };
      case 'request':
        return { kind: 'request', ...put(this.requests, 'request', name, after) };
      case 'news':
        return { kind: 'news', ...put(this.notifications, 'news', name, after) };
      case 'cleanup':
        this.#takeCleanup(name, { before, after });
        return undefined;
      default:
        return undefined;
    }
  }

  #takeCleanup(name: string, { before, after }: MemoryChange): void {
    const record = after ?? before;
    if (record === undefined) return;
    const of = codecs.cleanup.keyOf(record);
    const keys = new Set(after === undefined ? [] : readRecord('cleanup', after).items.map(({ key }) => key));
    const held = this.cleanups.get(name) ?? new Set();
    if (keys.size === 0) this.cleanups.delete(name);
    else this.cleanups.set(name, keys);
    for (const key of keys) this.#recorded.add(`${name} ${key}`);
    for (const key of held) if (!keys.has(key)) this.onForgotten(of, key);
  }

  /** Was there ever a record of this thing? */
  wasRecorded(
    of: { readonly move: string; readonly run: number; readonly host: string },
    key: string,
  ): boolean {
    return this.#recorded.has(`MOVE#${of.move} CLEANUP#${String(of.run)}#${of.host} ${key}`);
  }
}

function put<K extends RecordKind>(
  records: Map<string, Records[K]>,
  kind: K,
  name: string,
  after: MemoryChange['after'],
): { readonly before?: Records[K]; readonly after?: Records[K] } {
  const before = records.get(name);
  const past = before === undefined ? {} : { before };
  if (after === undefined) {
    records.delete(name);
    return past;
  }
  const record = readRecord(kind, after);
  records.set(name, record);
  return { ...past, after: record };
}
