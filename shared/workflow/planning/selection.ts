import * as z from 'zod';
import type { Batch, Selection } from '../../domain/batch.ts';
import { StepFailure } from '../../domain/failure.ts';
import { isEndpointName, isHostName, type EndpointName, type HostName } from '../../domain/ids.ts';
import type { Page } from '../../ports/store.ts';
import type { Services } from '../services.ts';

const hostName = z.custom<HostName>((value) => typeof value === 'string' && isHostName(value));
const endpointNames = z.array(
  z.custom<EndpointName>((value) => typeof value === 'string' && isEndpointName(value)),
);

/** A selection as it lies in object storage. */
export const selectionSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('endpoints'), endpoints: endpointNames, target: hostName.optional() }),
  z.strictObject({ kind: z.literal('host'), host: hostName, target: hostName.optional() }),
  z.strictObject({
    kind: z.literal('labels'),
    labels: z.record(z.string(), z.string()),
    target: hostName.optional(),
  }),
]);

type SelectionServices = Pick<Services, 'store' | 'views' | 'blobs'>;

/** @throws StepFailure `selection-invalid`, or as `Blobs.get` */
export async function readSelection({ blobs }: SelectionServices, batch: Batch): Promise<Selection> {
  const parsed = selectionSchema.safeParse(await blobs.get(batch.selection));
  if (parsed.success) {
    const { target, ...rest } = parsed.data;
    return target === undefined ? rest : { ...rest, target };
  }
  const [issue] = parsed.error.issues;
  throw new StepFailure(
    {
      code: 'selection-invalid',
      sentence: `the selection at ${batch.selection.key} is not one: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
      cure: 'publish the request again with a selection of the documented shape',
    },
    'fail',
  );
}

export interface Resolved {
  readonly known: readonly EndpointName[];
  /** Asked for by name, and not there. */
  readonly unknown: readonly EndpointName[];
}

/** Every endpoint that is selected at this moment, each once. */
export async function resolveSelection(services: SelectionServices, selection: Selection): Promise<Resolved> {
  switch (selection.kind) {
    case 'endpoints':
      return sift(services, [...new Set(selection.endpoints)]);
    case 'host':
      return collect(
        services,
        (cursor) => services.views.endpointsOn(selection.host, cursor),
        ({ host }) => host === selection.host,
      );
    case 'labels':
      return collect(
        services,
        (cursor) => services.views.endpoints(cursor),
        ({ labels }) => Object.entries(selection.labels).every(([name, value]) => labels[name] === value),
      );
    default:
      return selection satisfies never;
  }
}

async function sift({ store }: SelectionServices, names: readonly EndpointName[]): Promise<Resolved> {
  const placements = await store.loadMany(
    'endpoint',
    names.map((endpoint) => ({ endpoint })),
  );
  return {
    known: names.filter((_, index) => placements[index] !== undefined),
    unknown: names.filter((_, index) => placements[index] === undefined),
  };
}

/** Pages through an index, which only proposes, and keeps what the rows themselves confirm. */
async function collect(
  { store }: SelectionServices,
  turn: (cursor?: string) => Promise<Page<EndpointName>>,
  isSelected: (placement: {
    readonly host: HostName;
    readonly labels: Readonly<Record<string, string>>;
  }) => boolean,
): Promise<Resolved> {
  const names = new Set<EndpointName>();
  let cursor: string | undefined;
  do {
    const page = await turn(cursor);
    const placements = await store.loadMany(
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const placement of placements) {
      if (placement !== undefined && isSelected(placement)) names.add(placement.endpoint);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { known: [...names].sort(), unknown: [] };
}
