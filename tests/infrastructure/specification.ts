import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { PropertyType, Resource as SpecifiedResource, SpecDatabase } from '@aws-cdk/service-spec-types';
import type { PackagedTemplate } from './template.ts';

let loaded: SpecDatabase | undefined;

/** AWS's own description of its resources, as the CDK is made of it: read once, it takes a second. */
function specification(): SpecDatabase {
  loaded ??= loadAwsServiceSpecSync();
  return loaded;
}

/**
 * Where a template is not of the form that AWS specifies: types of resources, properties and attributes that it does not
 * know, values of another type, required ones that are missing.
 */
export function faultsOfForm(template: PackagedTemplate): readonly string[] {
  return [
    ...Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
      const specified = find(Type);
      return specified === undefined
        ? [`${id} is a ${Type}, which AWS does not know`]
        : faultsOfProperties(Properties, specified.properties, id);
    }),
    ...faultsOfAttributes(template, template),
  ];
}

function find(type: string): SpecifiedResource | undefined {
  const [found] = specification().lookup('resource', 'cloudFormationType', 'equals', type);
  return found;
}

function faultsOfProperties(
  values: Readonly<Record<string, unknown>>,
  specified: SpecifiedResource['properties'],
  path: string,
): string[] {
  const missing = Object.entries(specified)
    .filter(([name, { required }]) => required === true && values[name] === undefined)
    .map(([name]) => `${path} has no ${name}`);
  const wrong = Object.entries(values).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const property = specified[name];
    if (property === undefined) return [`${path} has a property ${name}, which AWS does not know`];
    const types = [property.type, ...(property.previousTypes ?? [])];
    return leastOf(types.map((type) => faultsOfValue(value, type, `${path}.${name}`)));
  });
  return [...missing, ...wrong];
}

/** Whatever CloudFormation computes is a value of any type. */
const functions = /^(?:Ref|Fn::[A-Za-z0-9]+)$/;

function faultsOfValue(value: unknown, type: PropertyType, path: string): string[] {
  if (isRecord(value)) {
    const [only, ...others] = Object.keys(value);
    if (only !== undefined && others.length === 0 && functions.test(only)) return [];
  }
  switch (type.type) {
    case 'json':
      return isRecord(value) || Array.isArray(value) || typeof value === 'string'
        ? []
        : [is(path, 'a document')];
    case 'tag':
      return isRecord(value) ? [] : [is(path, 'a tag')];
    case 'string':
    case 'date-time':
      // CloudFormation makes texts of numbers and truths.
      return typeof value === 'object' ? [is(path, 'a text')] : [];
    case 'number':
    case 'integer':
      return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value))
        ? []
        : [is(path, 'a number')];
    case 'boolean':
      return value === true || value === false || value === 'true' || value === 'false'
        ? []
        : [is(path, 'true or false')];
    case 'null':
      return value === null ? [] : [is(path, 'nothing')];
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item: unknown, index) =>
            faultsOfValue(item, type.element, `${path}.${String(index)}`),
          )
        : [is(path, 'a list')];
    case 'map':
      return isRecord(value)
        ? Object.entries(value).flatMap(([key, item]) => faultsOfValue(item, type.element, `${path}.${key}`))
        : [is(path, 'a map')];
    case 'ref': {
      const { properties } = specification().get('typeDefinition', type.reference);
      return isRecord(value) ? faultsOfProperties(value, properties, path) : [is(path, 'an object')];
    }
    case 'union':
      return leastOf(type.types.map((one) => faultsOfValue(value, one, path)));
  }
}

const is = (path: string, what: string): string => `${path} is not ${what}`;

/** Of several types that a value may have, what is wrong with it as that which it comes nearest to. */
const leastOf = (several: readonly string[][]): string[] =>
  several.reduce((least, each) => (each.length < least.length ? each : least));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `Fn::GetAtt` of what a resource does not have. */
function faultsOfAttributes(template: PackagedTemplate, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => faultsOfAttributes(template, item));
  if (!isRecord(value)) return [];
  const asked = value['Fn::GetAtt'];
  if (!Array.isArray(asked))
    return Object.values(value).flatMap((item) => faultsOfAttributes(template, item));
  const [id, name] = asked.map(String);
  const type = template.Resources[id ?? '']?.Type;
  const attributes = type === undefined ? undefined : find(type)?.attributes;
  // Its id alone leads nowhere: another rule.
  return attributes === undefined || (name !== undefined && name in attributes)
    ? []
    : [`${String(id)} has no attribute ${String(name)}`];
}
