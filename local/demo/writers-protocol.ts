/** What a process of writers and the process that started it say to each other. */
import { z } from 'zod';
import { pieces } from './tenants.ts';

const content = z.partialRecord(z.enum(pieces), z.number());
const tenant = z.object({
  name: z.string(),
  database: z.string(),
  owner: z.object({ user: z.string(), password: z.string() }),
  content,
});
const gap = z.object({ ms: z.number(), from: z.number() });
const history = z.object({
  writer: z.number(),
  lines: z.number(),
  foundCommitted: z.number(),
  foundAbsent: z.number(),
  denied: z.array(z.number()).readonly(),
  unresolved: z.exactOptional(z.number()),
  refusals: z.record(z.string(), z.number()),
  faults: z.array(z.string()).readonly(),
});

/** A module that exports `createLocate(config): Locate`, by absolute URL, and what to hand to it. */
const locator = z.object({ module: z.string(), config: z.json() });
export type Locator = z.infer<typeof locator>;

/** To the writers. */
export const order = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    tenants: z.array(tenant),
    locator,
    perTenant: z.number(),
    rate: z.number(),
  }),
  z.object({ kind: z.literal('measure'), since: z.number() }),
  z.object({ kind: z.literal('stop') }),
]);
export type Order = z.input<typeof order>;

/** From the writers. */
export const report = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({
    kind: z.literal('tally'),
    tally: z.array(z.object({ endpoint: z.string(), lines: z.number(), refusals: z.number() })),
  }),
  z.object({ kind: z.literal('gaps'), gaps: z.record(z.string(), z.array(gap)) }),
  z.object({ kind: z.literal('histories'), histories: z.record(z.string(), z.array(history)) }),
]);
export type Report = z.input<typeof report>;
