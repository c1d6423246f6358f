import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { RecordKind, Records } from '../ports/store.ts';
import { codecs } from './layout.ts';
import { fromItem, type Item } from './wire.ts';

/** A record before and after a write; `before` is absent when it is new, `after` when it is gone. */
export interface ChangeIn<K extends RecordKind> {
  readonly kind: K;
  readonly before?: Records[K];
  readonly after?: Records[K];
}

/** What a row of the table's stream says, by kind. */
export type Change = { readonly [K in RecordKind]: ChangeIn<K> }[RecordKind];

const image = z.custom<Record<string, AttributeValue>>((it) => typeof it === 'object' && it !== null);
const streamRecord = z.object({
  dynamodb: z.object({ NewImage: image.optional(), OldImage: image.optional() }),
});

/**
 * Reads a record of the table's stream (`NEW_AND_OLD_IMAGES`). Undefined for rows that are no records, such as
 * history.
 *
 * @throws RowUnreadable, ZodError
 */
export function changeOf(record: unknown): Change | undefined {
  const { NewImage, OldImage } = streamRecord.parse(record).dynamodb;
  const kind = (NewImage ?? OldImage)?.['kind']?.S;
  switch (kind) {
    case 'host':
      return change('host', OldImage, NewImage);
    case 'endpoint':
      return change('endpoint', OldImage, NewImage);
    case 'batch':
      return change('batch', OldImage, NewImage);
    case 'move':
      return change('move', OldImage, NewImage);
    case 'request':
      return change('request', OldImage, NewImage);
    case 'cleanup':
      return change('cleanup', OldImage, NewImage);
    case 'letter':
      return change('letter', OldImage, NewImage);
    case 'fleet':
      return change('fleet', OldImage, NewImage);
    case 'news':
      return change('news', OldImage, NewImage);
    case 'pace':
      return change('pace', OldImage, NewImage);
    case 'scaler':
      return change('scaler', OldImage, NewImage);
    default:
      return undefined;
  }
}

function change<K extends RecordKind>(
  kind: K,
  before: Item | undefined,
  after: Item | undefined,
): ChangeIn<K> {
  return {
    kind,
    ...(before === undefined ? {} : { before: codecs[kind].decode(fromItem(before)) }),
    ...(after === undefined ? {} : { after: codecs[kind].decode(fromItem(after)) }),
  };
}
