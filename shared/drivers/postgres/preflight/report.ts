import * as z from 'zod';
import type { PreflightFinding } from '../../../ports/driver.ts';
import { databaseAttributes } from '../schema/attributes.ts';

const finding = z.object({
  code: z.string(),
  /** `blocker`: the move cannot start. `action`: the move does something about it. `warning`: be aware. */
  severity: z.enum(['blocker', 'action', 'warning']),
  object: z.string().optional(),
  sentence: z.string(),
  cure: z.string(),
});
export type Finding = z.infer<typeof finding>;

const tableName = z.object({ schema: z.string(), name: z.string() });

/** What the move has to know later, read before anything is changed. */
const preflightFacts = z.object({
  systemIdentifier: z.string(),
  targetSystemIdentifier: z.string(),
  sourceVersion: z.int(),
  targetVersion: z.int(),
  attributes: databaseAttributes,
  /** Tables that need REPLICA IDENTITY FULL while they are replicated, with what they have (`d`, `n`, …). */
  identities: z.array(tableName.extend({ was: z.string() })),
  tables: z.int(),
  tableBytes: z.number(),
  /** Unlogged tables, extensions' tables and large objects: copied inside the freeze. */
  leftoverBytes: z.number(),
  fingerprint: z.object({ exact: z.string(), portable: z.string() }),
  /** Is the mover a superuser there? */
  superuser: z.object({ source: z.boolean(), target: z.boolean() }),
});

export const preflightReport = z.object({
  findings: z.array(finding),
  /** Offline where the source cannot replicate: then the policy decides. */
  mode: z.enum(['online', 'offline']),
  sizeBytes: z.number(),
  /** Absent when a blocker stopped the look before it was complete. */
  facts: preflightFacts.optional(),
});
export type PreflightReport = z.infer<typeof preflightReport>;
export type PreflightFacts = z.infer<typeof preflightFacts>;

/** Collects findings; the checks have no other effect. */
export class Findings {
  readonly list: Finding[] = [];

  blocker(code: string, sentence: string, cure: string, object?: string): void {
    this.#add('blocker', code, sentence, cure, object);
  }

  action(code: string, sentence: string, cure: string, object?: string): void {
    this.#add('action', code, sentence, cure, object);
  }

  warning(code: string, sentence: string, cure: string, object?: string): void {
    this.#add('warning', code, sentence, cure, object);
  }

  #add(severity: Finding['severity'], code: string, sentence: string, cure: string, object?: string): void {
    this.list.push({ code, severity, sentence, cure, ...(object === undefined ? {} : { object }) });
  }
}

/** As the port has them. */
export const asPortFindings = (findings: readonly Finding[]): PreflightFinding[] =>
  findings.map(({ object, ...finding }) => (object === undefined ? finding : { ...finding, object }));

/** A list for a sentence: the first few, and how many more. */
export function some(names: readonly string[], shown = 5): string {
  const rest = names.length - shown;
  return (
    names
      .slice(0, shown)
      .map((name) => `"${name}"`)
      .join(', ') + (rest > 0 ? ` and ${String(rest)} more` : '')
  );
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
