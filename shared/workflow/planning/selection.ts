import * as z from 'zod';
import { firstTwice, type ClaimCheck, type Pair, type Selection } from '../../domain/batch.ts';
import { StepFailure } from '../../domain/failure.ts';
import {
  isEndpointName,
  isHostName,
  labelPattern,
  type EndpointName,
  type HostName,
} from '../../domain/ids.ts';
import type { Placement } from '../../domain/placement.ts';
import type { Page } from '../../ports/store.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';

/** The most endpoints that one batch takes. */
const mostEndpoints = 100_000;

const hostName = z.custom<HostName>(
  (value) => typeof value === 'string' && isHostName(value),
  'is no name of a host',
);
const endpointName = z.custom<EndpointName>(
  (value) => typeof value === 'string' && isEndpointName(value),
  'is no name of an endpoint',
);
const endpointNames = z
  .array(endpointName)
  .min(1, 'is empty')
  .max(mostEndpoints, `has more than ${String(mostEndpoints)} names`);
const pairs = z
  .array(
    z
      .strictObject({ endpoint: endpointName, target: hostName.optional() })
      .transform(({ endpoint, target }): Pair =>
        target === undefined ? { endpoint } : { endpoint, target },
      ),
  )
  .min(1, 'is empty')
  .max(mostEndpoints, `has more than ${String(mostEndpoints)} pairs`)
  .superRefine((list, context) => {
    const at = firstTwice(list);
    if (at !== undefined)
      context.addIssue({ code: 'custom', path: [at], message: 'is of an endpoint that is there already' });
  });
// Without a single label everything there is would be selected.
const labels = z
  .record(z.string().regex(labelPattern), z.string().max(100), 'is no set of labels and their values')
  .refine((wanted) => Object.keys(wanted).length > 0, 'is empty');

/** A selection as it lies in object storage. */
const selectionSchema = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('endpoints'), endpoints: endpointNames, target: hostName.optional() }),
      z.strictObject({ kind: z.literal('pairs'), pairs }),
      z.strictObject({ kind: z.literal('host'), host: hostName, target: hostName.optional() }),
      z.strictObject({ kind: z.literal('labels'), labels, target: hostName.optional() }),
    ],
    'must be an object whose kind is "endpoints", "pairs", "host" or "labels"',
  )
  .refine((it) => it.kind !== 'host' || it.host !== it.target, {
    path: ['target'],
    error: 'is the host that is to be emptied',
  });

type SelectionServices = Pick<Services, 'store' | 'views' | 'blobs' | 'log'>;

/** @throws StepFailure `selection-invalid`, or as `Blobs.get` */
export async function readSelection(
  { blobs }: Pick<Services, 'blobs'>,
  check: ClaimCheck,
): Promise<Selection> {
  const parsed = selectionSchema.safeParse(await blobs.get(check));
  if (parsed.success) {
    if (parsed.data.kind === 'pairs') return parsed.data;
    const { target, ...rest } = parsed.data;
    return target === undefined ? rest : { ...rest, target };
  }
  const [issue] = parsed.error.issues;
  throw new StepFailure(
    {
      code: 'selection-invalid',
      sentence: `what lies at ${check.key} is no selection: ${faultOf(issue)}`,
      cure: 'store {"kind":"endpoints","endpoints":[…]}, or one of kind "pairs", "host" or "labels", and publish the request again with its hash',
    },
    'fail',
  );
}

/** Where it is wrong, and how; nothing of the value itself. */
function faultOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'it cannot be read';
  if (issue.code === 'unrecognized_keys') return 'it has a field that is not known';
  const place = issue.path.map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`));
  const field = place.join('').replace(/^\./, '').slice(0, 80);
  const what =
    issue.message.startsWith('Invalid') || issue.message.startsWith('Too')
      ? 'is not what it must be'
      : issue.message;
  return `${field === '' ? 'it' : field} ${what}`;
}

/** The only host that will do for an endpoint, if the selection names one. */
export function targetsOf(selection: Selection): (endpoint: EndpointName) => HostName | undefined {
  if (selection.kind !== 'pairs') return () => selection.target;
  const targets = new Map(selection.pairs.map(({ endpoint, target }) => [endpoint, target]));
  return (endpoint) => targets.get(endpoint);
}

export interface Resolved {
  readonly known: readonly EndpointName[];
  /** Asked for by name and not there, or not to be read. */
  readonly unknown: readonly EndpointName[];
}

/** Every endpoint that is selected at this moment, each once. */
export async function resolveSelection(services: SelectionServices, selection: Selection): Promise<Resolved> {
  switch (selection.kind) {
    case 'endpoints':
      return sift(services, [...new Set(selection.endpoints)]);
    case 'pairs':
      return sift(
        services,
        selection.pairs.map(({ endpoint }) => endpoint),
      );
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

async function sift(services: SelectionServices, names: readonly EndpointName[]): Promise<Resolved> {
  const placements = await loadReadable(
    services,
    'endpoint',
    names.map((endpoint) => ({ endpoint })),
  );
  return {
    known: names.filter((_, index) => isRecord(placements[index])),
    unknown: names.filter((_, index) => !isRecord(placements[index])),
  };
}

const isRecord = (placement: Placement | 'unreadable' | undefined): placement is Placement =>
  placement !== undefined && placement !== 'unreadable';

/** Pages through an index, which only proposes, and keeps what the rows themselves confirm. */
async function collect(
  services: SelectionServices,
  turn: (cursor?: string) => Promise<Page<EndpointName>>,
  isSelected: (placement: {
    readonly host: HostName;
    readonly labels: Readonly<Record<string, string>>;
  }) => boolean,
): Promise<Resolved> {
  const names = new Set<EndpointName>();
  const unknown = new Set<EndpointName>();
  let cursor: string | undefined;
  do {
    const page = await turn(cursor);
    const placements = await loadReadable(
      services,
      'endpoint',
      page.items.map((endpoint) => ({ endpoint })),
    );
    for (const [index, placement] of placements.entries()) {
      const name = page.items[index];
      if (placement === 'unreadable' && name !== undefined) unknown.add(name);
      else if (isRecord(placement) && isSelected(placement)) names.add(placement.endpoint);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { known: [...names].sort(), unknown: [...unknown].sort() };
}
