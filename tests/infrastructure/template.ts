import * as z from 'zod';

const resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Condition: z.string().optional(),
});
export const packagedTemplate = z.object({
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resource),
  Outputs: z.record(
    z.string(),
    z.object({ Value: z.unknown(), Description: z.string().optional(), Condition: z.string().optional() }),
  ),
});

/** A template as `sls package` writes it. */
export type PackagedTemplate = z.output<typeof packagedTemplate>;
export type Resource = z.output<typeof resource>;

/** Throws for what is not there: a test that looks for it has failed. */
export function required<T>(value: T | undefined, what = 'what the test looks for'): T {
  if (value === undefined) throw new Error(`${what} is not there`);
  return value;
}

/** The id of the resource that a property names. */
export const reference = z.union([
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform(({ 'Fn::GetAtt': [id] }) => id),
]);
export const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
export const some = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]);

export function ofType(template: PackagedTemplate, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

export function idsOf(template: PackagedTemplate, type: string): string[] {
  return ofType(template, type)
    .map(([id]) => id)
    .sort();
}

/** Of each resource of a type its properties, as far as a schema knows them. */
export function propertiesOf<T>(
  template: PackagedTemplate,
  type: string,
  schema: z.ZodType<T>,
): Map<string, T> {
  return new Map(ofType(template, type).map(([id, { Properties }]) => [id, schema.parse(Properties)]));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nothing = Symbol('AWS::NoValue');

/**
 * The template under given conditions: each `Fn::If` is what it comes to, and what a condition forbids is gone.
 * @param holds by name; what is not named is as the stage's own parameters make it
 */
export function under(
  template: PackagedTemplate,
  holds: Readonly<Record<string, boolean>> = {},
): PackagedTemplate {
  const isMet = (name: string | undefined): boolean =>
    name === undefined || (holds[name] ?? evaluate(template.Conditions[name]));
  const settle = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(settle).filter((item) => item !== nothing);
    if (!isRecord(value)) return value;
    if (value['Ref'] === 'AWS::NoValue') return nothing;
    const choice = z.object({ 'Fn::If': z.tuple([z.string(), z.unknown(), z.unknown()]) }).safeParse(value);
    if (choice.success) {
      const [name, yes, no] = choice.data['Fn::If'];
      return settle(isMet(name) ? yes : no);
    }
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, item]): [string, unknown] => [key, settle(item)])
        .filter(([, item]) => item !== nothing),
    );
  };
  const met = <T extends { readonly Condition?: string | undefined }>(all: Record<string, T>) =>
    Object.fromEntries(Object.entries(all).filter(([, { Condition }]) => isMet(Condition)));
  return packagedTemplate.parse({
    Conditions: template.Conditions,
    Resources: settle(met(template.Resources)),
    Outputs: settle(met(template.Outputs)),
  });
}

const equality = z.object({ 'Fn::Equals': z.tuple([z.string(), z.string()]) });
const negation = z.object({ 'Fn::Not': z.tuple([z.unknown()]) });

/** Conditions of ours compare a parameter, which is a text by then, with another text. */
function evaluate(condition: unknown): boolean {
  const not = negation.safeParse(condition);
  if (not.success) return !evaluate(not.data['Fn::Not'][0]);
  const [left, right] = equality.parse(condition)['Fn::Equals'];
  return left === right;
}

/** Ids of all resources that a value names, `DependsOn` included. */
export function referencesIn(value: unknown): string[] {
  const found = new Set<string>();
  const add = (id: string): void => {
    if (!id.startsWith('AWS::')) found.add(id);
  };
  const walk = (part: unknown, key: string): void => {
    if (key === 'Ref' && typeof part === 'string') add(part);
    else if (key === 'Fn::GetAtt' && Array.isArray(part)) add(String(part[0]));
    else if (key === 'Fn::Sub' && typeof part === 'string') {
      for (const [, name = ''] of part.matchAll(/\$\{(?!!)([^}.]+)/g)) add(name);
    } else if (key === 'DependsOn') for (const id of some.parse(part)) add(String(id));
    else if (Array.isArray(part)) for (const item of part) walk(item, '');
    else if (isRecord(part)) {
      for (const [name, item] of Object.entries(part)) if (item !== undefined) walk(item, name);
    }
  };
  walk(value, '');
  return [...found];
}
