import * as z from 'zod';
import { firstTwice, type ClaimCheck, type Pair, type Selection, type Where } from '../../domain/batch.ts';
import { bytesField, endpointNameField, hostNameField, labelsField } from '../fields.ts';

/** A hundred thousand of the longest names fit. */
const largestBody = 11 * 1_048_576;
const keyRule = "the body's key in the bucket for claims, without empty parts, '.' or '..'";
const bytesRule = `its length in bytes, at most ${String(largestBody)}`;

/** A body in the bucket for claims, by its content. */
export const claimCheckField = z.strictObject({
  key: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,511}$/, { error: keyRule })
    .refine((key) => key.split('/').every((part) => !/^\.{0,2}$/.test(part)), { error: keyRule }),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'the SHA-256 of the body, 64 lower-case hexadecimal digits' }),
  bytes: z.int({ error: bytesRule }).positive({ error: bytesRule }).max(largestBody, { error: bytesRule }),
}) satisfies z.ZodType<ClaimCheck>;

const endpointList = z
  .array(endpointNameField)
  .min(1, { error: 'a list of at least one endpoint' })
  .transform((names) => [...new Set(names)]);
const pairList = z
  .array(
    z
      .strictObject({ endpoint: endpointNameField, target: hostNameField.optional() })
      .transform(({ endpoint, target }): Pair =>
        target === undefined ? { endpoint } : { endpoint, target },
      ),
  )
  .min(1, { error: 'a list of at least one pair' })
  .superRefine((pairs, context) => {
    const at = firstTwice(pairs);
    if (at === undefined) return;
    context.addIssue({
      code: 'custom',
      path: [at, 'endpoint'],
      message: 'An endpoint is named twice, and can go to one host only.',
      params: { code: 'endpoint-twice', cure: 'Leave all of its pairs out but the one that is meant.' },
    });
  });
const sizeRule = 'atLeast, atMost, or both: whole numbers of bytes, the first no greater';
const whereRule = 'at least one of labels, tenant, size and host';
const whereField = z
  .strictObject({
    labels: labelsField
      .refine((labels) => Object.keys(labels).length > 0, { error: 'at least one label' })
      .optional(),
    tenant: z.string().min(1).max(100, { error: 'the value of the label tenant' }).optional(),
    size: z
      .strictObject({ atLeast: bytesField.optional(), atMost: bytesField.optional() }, { error: sizeRule })
      .refine(
        ({ atLeast, atMost }) => (atLeast ?? atMost) !== undefined && (atLeast ?? 0) <= (atMost ?? Infinity),
        {
          error: sizeRule,
        },
      )
      .optional(),
    host: hostNameField.optional(),
  })
  .refine((where) => Object.values(where).some((part) => part !== undefined), { error: whereRule })
  .transform(({ labels, tenant, size, host }): Where => ({
    ...(labels === undefined ? {} : { labels }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(size === undefined ? {} : { size: { ...atLeast(size.atLeast), ...atMost(size.atMost) } }),
    ...(host === undefined ? {} : { host }),
  }));
const atLeast = (bytes: number | undefined) => (bytes === undefined ? {} : { atLeast: bytes });
const atMost = (bytes: number | undefined) => (bytes === undefined ? {} : { atMost: bytes });

const shareRule = 'a share of its capacity over 0 and under 1, e.g. 0.7';
const relieveField = z.strictObject({
  host: hostNameField,
  under: z.number({ error: shareRule }).gt(0, { error: shareRule }).lt(1, { error: shareRule }),
});
const labelFilter = labelsField.refine((labels) => Object.keys(labels).length > 0, {
  error: 'at least one label',
});

/** The fields by which a request selects; which of them stand together is checked by `chosen`. */
export const selectionFields = {
  endpoints: endpointList.optional(),
  pairs: pairList.optional(),
  host: hostNameField.optional(),
  labels: labelFilter.optional(),
  where: whereField.optional(),
  rebalance: z.literal(true, { error: 'true, or left out' }).optional(),
  relieve: relieveField.optional(),
  target: hostNameField.optional(),
} as const;

type SelectionFields = z.output<z.ZodObject<typeof selectionFields>>;
type Report = (issue: {
  readonly code: string;
  readonly field: string;
  readonly sentence: string;
  readonly cure: string;
}) => void;

/** The one selection that the fields make, or a report of why they make none. */
export function chosen(fields: SelectionFields, report: Report): Selection | undefined {
  const { target, ...ways } = fields;
  const { endpoints, pairs, host, labels, where, rebalance, relieve } = ways;
  const given = Object.values(ways).filter((part) => part !== undefined).length;
  if (given !== 1) {
    report({
      code: given === 0 ? 'selection-missing' : 'selection-ambiguous',
      field: 'endpoints',
      sentence: given === 0 ? 'Nothing is selected.' : 'More than one way of selecting is used.',
      cure: 'Give exactly one of endpoints, pairs, host, labels, where, rebalance, relieve or selectionRef.',
    });
    return undefined;
  }
  if (target !== undefined && (pairs ?? rebalance ?? relieve) !== undefined) {
    report({
      code: 'selection-ambiguous',
      field: 'target',
      sentence:
        pairs === undefined
          ? 'The planner spreads these over many hosts.'
          : 'Pairs name their targets themselves.',
      cure:
        pairs === undefined ? 'Leave target out.' : 'Write the target into each pair, or leave target out.',
    });
    return undefined;
  }
  const to = target === undefined ? {} : { target };
  if (endpoints !== undefined) return { kind: 'endpoints', endpoints, ...to };
  if (pairs !== undefined) return { kind: 'pairs', pairs };
  if (where !== undefined) return { kind: 'where', where, ...to };
  if (rebalance !== undefined) return { kind: 'rebalance' };
  if (relieve !== undefined) return { kind: 'relieve', ...relieve };
  if (labels !== undefined) return { kind: 'labels', labels, ...to };
  if (host === undefined) return undefined;
  if (host === target) {
    report({
      code: 'source-is-target',
      field: 'target',
      sentence: `Host ${host} cannot be emptied onto itself.`,
      cure: 'Name another target, or none and let the planner choose.',
    });
    return undefined;
  }
  return { kind: 'host', host, ...to };
}

/** Passes a report on to zod, so that it becomes the refusal. */
export function reportTo(context: z.RefinementCtx): Report {
  return ({ code, field, sentence, cure }) => {
    context.addIssue({ code: 'custom', path: [field], message: sentence, params: { code, cure } });
  };
}
