import { CloudError } from '../cloud-error.ts';
import type { Template } from './template.ts';

/** Where the resolver learns what exists: names, attributes, pseudo parameters and parameter values. */
export interface Surroundings {
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** The value of `Ref` for a resource. */
  ref(logicalId: string): string;
  /** The value of `Fn::GetAtt` for a resource. */
  attribute(logicalId: string, name: string): unknown;
}

/** Turns the values of a template into plain data. */
export interface Resolver {
  /** Resolves every intrinsic inside `value`; `AWS::NoValue` removes the property that holds it. */
  resolve(value: unknown): unknown;
  /** Whether a named condition holds; no name holds always. */
  holds(condition: string | undefined): boolean;
}

const NO_VALUE = Symbol('AWS::NoValue');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function unresolvable(what: string): CloudError {
  return new CloudError('TemplateUnresolvable', `The template cannot be resolved: ${what}.`);
}

/** A resolver over one template. Throws `TemplateUnresolvable` naming the function and its argument. */
export function createResolver(template: Template, around: Surroundings): Resolver {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': around.accountId,
    'AWS::Region': around.region,
    'AWS::Partition': 'aws',
    'AWS::StackName': around.stackName,
    'AWS::StackId': `arn:aws:cloudformation:${around.region}:${around.accountId}:stack/${around.stackName}/local`,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NoValue': NO_VALUE,
    'AWS::NotificationARNs': [],
  };

  function ref(name: string): unknown {
    if (name in pseudo) return pseudo[name];
    if (name in template.Parameters) {
      const value = around.parameters[name] ?? template.Parameters[name]?.Default;
      if (value === undefined) throw unresolvable(`parameter ${name} has neither a value nor a default`);
      return value;
    }
    if (!(name in template.Resources)) throw unresolvable(`Ref to unknown ${name}`);
    return around.ref(name);
  }

  function text(value: unknown, where: string): string {
    const plain = walk(value);
    if (typeof plain === 'string' || typeof plain === 'number' || typeof plain === 'boolean')
      return String(plain);
    throw unresolvable(`${where} wants a string, found ${JSON.stringify(plain)}`);
  }

  function list(value: unknown, where: string): unknown[] {
    const plain = walk(value);
    if (Array.isArray(plain)) return plain;
    throw unresolvable(`${where} wants a list, found ${JSON.stringify(plain)}`);
  }

  function raw(value: unknown, where: string, atLeast: number): readonly unknown[] {
    if (Array.isArray(value) && value.length >= atLeast) return value;
    throw unresolvable(`${where} wants at least ${String(atLeast)} arguments`);
  }

  function getAttribute(argument: unknown): unknown {
    const [id, ...path] = typeof argument === 'string' ? argument.split('.') : raw(argument, 'Fn::GetAtt', 2);
    return around.attribute(text(id, 'Fn::GetAtt'), path.map((part) => text(part, 'Fn::GetAtt')).join('.'));
  }

  function substitute(argument: unknown): string {
    const [body, variables] = typeof argument === 'string' ? [argument, {}] : raw(argument, 'Fn::Sub', 2);
    const named = isRecord(variables) ? variables : {};
    return text(body, 'Fn::Sub').replace(/\$\{([^}]+)\}/g, (whole, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      const key = name.trim();
      if (key in named) return text(named[key], `Fn::Sub of ${key}`);
      if (key in pseudo || !key.includes('.')) return text({ Ref: key }, `Fn::Sub of ${whole}`);
      return text({ 'Fn::GetAtt': key }, `Fn::Sub of ${whole}`);
    });
  }

  function condition(value: unknown): boolean {
    if (isRecord(value) && Object.keys(value).length === 1) {
      const [name, argument] = Object.entries(value)[0] ?? ['', undefined];
      if (name === 'Condition') return holds(text(argument, 'Condition'));
      if (name === 'Fn::Equals') {
        const [left, right] = raw(argument, name, 2);
        return JSON.stringify(walk(left)) === JSON.stringify(walk(right));
      }
      if (name === 'Fn::Not') return !condition(raw(argument, name, 1)[0]);
      if (name === 'Fn::And') return raw(argument, name, 1).every(condition);
      if (name === 'Fn::Or') return raw(argument, name, 1).some(condition);
    }
    throw unresolvable(`condition ${JSON.stringify(value)}`);
  }

  function holds(name: string | undefined): boolean {
    if (name === undefined) return true;
    if (!(name in template.Conditions)) throw unresolvable(`unknown condition ${name}`);
    return condition(template.Conditions[name]);
  }

  const functions: Readonly<Record<string, (argument: unknown) => unknown>> = {
    Ref: (argument) => ref(text(argument, 'Ref')),
    'Fn::GetAtt': getAttribute,
    'Fn::Sub': substitute,
    'Fn::Join': (argument) => {
      const [separator, parts] = raw(argument, 'Fn::Join', 2);
      return list(parts, 'Fn::Join')
        .map((part) => text(part, 'Fn::Join'))
        .join(text(separator, 'Fn::Join'));
    },
    'Fn::Split': (argument) => {
      const [separator, whole] = raw(argument, 'Fn::Split', 2);
      return text(whole, 'Fn::Split').split(text(separator, 'Fn::Split'));
    },
    'Fn::Select': (argument) => {
      const [index, parts] = raw(argument, 'Fn::Select', 2);
      const chosen = list(parts, 'Fn::Select')[Number(text(index, 'Fn::Select'))];
      if (chosen === undefined)
        throw unresolvable(`Fn::Select found nothing at ${text(index, 'Fn::Select')}`);
      return chosen;
    },
    'Fn::If': (argument) => {
      const [name, yes, no] = raw(argument, 'Fn::If', 3);
      return walk(holds(text(name, 'Fn::If')) ? yes : no);
    },
    'Fn::FindInMap': (argument) => {
      const [map, first, second] = raw(argument, 'Fn::FindInMap', 3).map((part) =>
        text(part, 'Fn::FindInMap'),
      );
      const found = template.Mappings[map ?? '']?.[first ?? '']?.[second ?? ''];
      if (found === undefined)
        throw unresolvable(`Fn::FindInMap ${String(map)}.${String(first)}.${String(second)}`);
      return walk(found);
    },
    'Fn::Base64': (argument) => Buffer.from(text(argument, 'Fn::Base64')).toString('base64'),
    'Fn::ToJsonString': (argument) => JSON.stringify(walk(argument)),
    'Fn::GetAZs': () => ['a', 'b', 'c'].map((zone) => `${around.region}${zone}`),
  };

  function walk(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(walk).filter((item) => item !== NO_VALUE);
    if (!isRecord(value)) return value;
    const entries = Object.entries(value);
    const only = entries.length === 1 ? entries[0] : undefined;
    if (only !== undefined) {
      const intrinsic = functions[only[0]];
      if (intrinsic !== undefined) return intrinsic(only[1]);
      if (only[0].startsWith('Fn::')) throw unresolvable(`${only[0]} is not supported by the embedded cloud`);
    }
    return Object.fromEntries(
      entries.map(([key, item]) => [key, walk(item)]).filter(([, item]) => item !== NO_VALUE),
    );
  }

  return {
    resolve: (value) => {
      const plain = walk(value);
      return plain === NO_VALUE ? undefined : plain;
    },
    holds,
  };
}
