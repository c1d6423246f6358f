import * as z from 'zod';
import { firstTwice, type ClaimCheck, type Selection } from '../../domain/batch.ts';
import { StepFailure } from '../../domain/failure.ts';
import {
  isEndpointName,
  isHostName,
  labelPattern,
  type EndpointName,
  type HostName,
} from '../../domain/ids.ts';
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
  .array(z.strictObject({ endpoint: endpointName, target: z.exactOptional(hostName) }))
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

const figure = z.int('is no whole number').nonnegative('is under 0');
const where = z
  .strictObject({
    labels: z.exactOptional(labels),
    tenant: z.exactOptional(z.string().max(100)),
    size: z.exactOptional(
      z.strictObject({ atLeast: z.exactOptional(figure), atMost: z.exactOptional(figure) }),
    ),
    host: z.exactOptional(hostName),
  })
  .refine((wanted) => Object.keys(wanted).length > 0, 'is empty');

/** A selection as it lies in object storage. */
const selectionSchema = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('endpoints'),
        endpoints: endpointNames,
        target: z.exactOptional(hostName),
      }),
      z.strictObject({ kind: z.literal('pairs'), pairs }),
      z.strictObject({ kind: z.literal('host'), host: hostName, target: z.exactOptional(hostName) }),
      z.strictObject({ kind: z.literal('labels'), labels, target: z.exactOptional(hostName) }),
      z.strictObject({ kind: z.literal('where'), where, target: z.exactOptional(hostName) }),
      z.strictObject({ kind: z.literal('rebalance') }),
      z.strictObject({
        kind: z.literal('relieve'),
        host: hostName,
        under: z.number().gt(0, 'is no share over 0').lt(1, 'is no share under 1'),
      }),
    ],
    'must be an object whose kind is "endpoints", "pairs", "host", "labels", "where", "rebalance" or "relieve"',
  )
  .refine((it) => it.kind !== 'host' || it.host !== it.target, {
    path: ['target'],
    error: 'is the host that is to be emptied',
  });

/** @throws StepFailure `selection-invalid`, or as `Blobs.get` */
export async function readSelection(
  { blobs }: Pick<Services, 'blobs'>,
  check: ClaimCheck,
): Promise<Selection> {
  const parsed = selectionSchema.safeParse(await blobs.get(check));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StepFailure(
    {
      code: 'selection-invalid',
      sentence: `what lies at ${check.key} is no selection: ${faultOf(issue)}`,
      cure: 'store {"kind":"endpoints","endpoints":[…]}, or one of kind "pairs", "host", "labels", "where", "rebalance" or "relieve", and publish the request again with its hash',
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
  if (selection.kind === 'rebalance' || selection.kind === 'relieve') return () => undefined;
  if (selection.kind !== 'pairs') return () => selection.target;
  const targets = new Map(selection.pairs.map(({ endpoint, target }) => [endpoint, target]));
  return (endpoint) => targets.get(endpoint);
}

/** The endpoints that a selection names. */
export function namesIn(selection: Selection): readonly EndpointName[] {
  if (selection.kind === 'endpoints') return selection.endpoints;
  return selection.kind === 'pairs' ? selection.pairs.map(({ endpoint }) => endpoint) : [];
}
