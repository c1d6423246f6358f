import * as z from 'zod';

/**
 * What can be asked of a simulated host, one message each. Every operation is atomic on its host and, where a
 * driver must be able to repeat it, idempotent.
 */
const text = z.string().min(1).max(300);
const count = z.int().min(0);

/** Who made a database: its comment on the host. */
const mark = z.strictObject({ installation: text, move: text, run: z.int().min(1) });
export type Mark = z.output<typeof mark>;

/**
 * Which database an effect is for, and by whose right. `system` is the server's identity; the database is found
 * by `oid`, or by its mark, or by its name once it serves. The host token is compared and raised with the effect.
 */
const guard = z.strictObject({
  system: text,
  token: count,
  database: z.union([
    z.strictObject({ oid: z.int() }),
    z.strictObject({ mark }),
    z.strictObject({ mark, serving: text }),
  ]),
});
export type Guard = z.output<typeof guard>;

const nothing = z.strictObject({});
const row = z.strictObject({ id: count, writer: text, seq: count, at: count });

const description = z.strictObject({
  system: text,
  version: count,
  slots: count,
  slotsUsed: count,
  workers: count,
  workersUsed: count,
  replicates: z.boolean(),
  extensions: z.array(text),
  roles: z.array(text),
  /** Bytes; null: nobody said. */
  capacityBytes: count.nullable(),
  usedBytes: count,
});

const replication = z.strictObject({
  state: z.enum(['copying', 'applying']),
  copiedBytes: count,
  totalBytes: count,
  /** Position in the source's log up to which everything is on the target. */
  applied: count,
  lagBytes: count,
  /** When nothing is left to do, if nothing new comes. */
  etaMs: count,
});

export const inputs = {
  describe: nothing,
  discover: nothing,
  inspect: z.strictObject({ database: text }),
  survey: z.strictObject({ database: text, source: text }),
  'create-database': z.strictObject({
    system: text,
    token: count,
    name: text,
    mark,
    owner: text,
    schema: text,
    extensions: z.array(text),
  }),
  'name-database': z.strictObject({ guard, to: text }),
  publish: z.strictObject({ guard, name: text }),
  subscribe: z.strictObject({ guard, name: text, source: text, slot: text }),
  replication: z.strictObject({ subscription: text }),
  digest: z.strictObject({ guard, upTo: count.nullable(), session: z.boolean() }),
  fence: z.strictObject({ guard }),
  unfence: z.strictObject({ guard }),
  marker: z.strictObject({ guard }),
  settle: z.strictObject({ guard, subscription: text.nullable(), marker: count, sequence: count }),
  pull: z.strictObject({ guard, source: text, oid: z.int() }),
  'fence-for-good': z.strictObject({ guard }),
  open: z.strictObject({ guard }),
  probe: z.strictObject({ guard, epoch: count }),
  tail: z.strictObject({ slot: text }),
  unsubscribe: z.strictObject({ guard, name: text, hand: z.boolean() }),
  unpublish: z.strictObject({ guard, name: text }),
  retain: z.strictObject({ guard, stream: text, name: text, mark }),
  'drop-database': z.strictObject({ guard, mark }),
  stock: z.strictObject({ installation: text }),
  residue: z.strictObject({ installation: text }),
  'remove-residue': z.strictObject({ system: text, kind: text, name: text, oid: z.int().nullable(), mark }),
  write: z.strictObject({ database: text, writer: text, seq: count }),
  begin: z.strictObject({ database: text, writer: text, seq: count }),
  commit: z.strictObject({ transaction: text }),
  rows: z.strictObject({ database: text }),
  'change-schema': z.strictObject({ database: text, schema: text }),
  'cut-sessions': z.strictObject({ database: text }),
};

export const outputs = {
  describe: description,
  discover: z.strictObject({
    databases: z.array(z.strictObject({ name: text, owner: text, bytes: count })),
  }),
  inspect: z.strictObject({
    host: description,
    database: z
      .strictObject({
        oid: z.int(),
        owner: text,
        bytes: count,
        schema: text,
        extensions: z.array(text),
        open: z.boolean(),
        keyless: z.array(text),
      })
      .nullable(),
  }),
  survey: z.strictObject({ host: description, taken: z.boolean(), reaches: z.boolean() }),
  'create-database': z.strictObject({ oid: z.int() }),
  'name-database': nothing,
  publish: z.strictObject({ position: count }),
  subscribe: replication,
  replication,
  digest: z.strictObject({ position: count, rows: count, digest: text, schema: text, sequence: count }),
  fence: z.strictObject({ position: count, ended: count }),
  unfence: nothing,
  marker: z.strictObject({ position: count, sequence: count }),
  settle: z.strictObject({ settled: z.boolean(), lagBytes: count, etaMs: count }),
  pull: z.strictObject({ copiedBytes: count, totalBytes: count, etaMs: count }),
  'fence-for-good': nothing,
  open: nothing,
  probe: nothing,
  tail: z.strictObject({ pending: count.nullable() }),
  unsubscribe: nothing,
  unpublish: nothing,
  retain: nothing,
  'drop-database': nothing,
  stock: z.strictObject({
    databases: z.array(
      z.strictObject({
        name: text,
        access: z.enum(['open', 'closed', 'closed-for-good']),
        /** 0: no move has ever had it. */
        token: count,
        /** The move that has made it, or keeps it; null: it serves, or has served, under a name of its own. */
        copyOf: text.nullable(),
      }),
    ),
  }),
  residue: z.strictObject({
    system: text,
    items: z.array(z.strictObject({ kind: text, name: text, oid: z.int().nullable(), mark })),
  }),
  'remove-residue': nothing,
  write: z.strictObject({ id: count }),
  begin: z.strictObject({ transaction: text }),
  commit: z.strictObject({ id: count }),
  rows: z.strictObject({ rows: z.array(row) }),
  'change-schema': nothing,
  'cut-sessions': z.strictObject({ ended: count }),
};

export type Kind = keyof typeof inputs;
export type Inputs = { readonly [K in Kind]: z.output<(typeof inputs)[K]> };
export type Outputs = { readonly [K in Kind]: z.output<(typeof outputs)[K]> };

const inputSchemas: { readonly [K in Kind]: z.ZodType<Inputs[K]> } = inputs;
const outputSchemas: { readonly [K in Kind]: z.ZodType<Outputs[K]> } = outputs;

const names: ReadonlySet<string> = new Set(Object.keys(inputs));
export const isKind = (name: string): name is Kind => names.has(name);

/** @throws ZodError */
export function parseInput<K extends Kind>(kind: K, value: unknown): Inputs[K] {
  const schema: z.ZodType<Inputs[K]> = inputSchemas[kind];
  return schema.parse(value);
}

/** @throws ZodError */
export function parseOutput<K extends Kind>(kind: K, value: unknown): Outputs[K] {
  const schema: z.ZodType<Outputs[K]> = outputSchemas[kind];
  return schema.parse(value);
}

/** Why a host refused: what the driver throws, as it travels. */
export const refusalSchema = z.strictObject({
  code: text,
  sentence: z.string().max(2000),
  cure: z.string().max(2000),
  verdict: z.enum(['retry', 'host-down', 'throttled', 'fail', 'superseded', 'session-lost']),
});
export type RefusalBody = z.output<typeof refusalSchema>;
