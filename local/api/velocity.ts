import { Compile, parse } from 'velocityjs';
import { z } from 'zod';

/** What a template sees of the request, or of what the service has answered. */
export interface TemplateScene {
  /** The body that is read by `$input.path` and `$input.json`. */
  readonly body: string;
  readonly path: Readonly<Record<string, string>>;
  readonly querystring: Readonly<Record<string, string>>;
  readonly header: Readonly<Record<string, string>>;
  readonly context: Readonly<Record<string, unknown>>;
  readonly stageVariables: Readonly<Record<string, string>>;
}

/** What a template has made. */
export interface Rendered {
  readonly text: string;
  /** What it has put in the place of the integration's status and headers. */
  readonly override: {
    readonly status: number | undefined;
    readonly header: Readonly<Record<string, string>>;
  };
}

/** A template, read once. */
export type Template = (scene: TemplateScene) => Rendered;

/**
 * A mapping template of API Gateway, run by velocityjs. What Java's own classes bring to templates there is brought
 * here by hand; a template that calls anything else fails, where velocityjs would go on in silence.
 */
export function readTemplate(text: string): Template {
  const parsed = parse(text);
  return ({ body, path, querystring, header, context, stageVariables }) => {
    const override: Record<string, unknown> & { header: Record<string, unknown> } = { header: {} };
    let root: { readonly value: unknown } | undefined;
    // Parsed when it is asked for: not every body is JSON.
    const at = (where: string): unknown =>
      find((root ??= { value: body === '' ? '' : JSON.parse(body) }).value, where);
    const input = {
      body,
      path: at,
      json: (where: string): string => JSON.stringify(at(where) ?? ''),
      params: (name?: string): unknown =>
        name === undefined
          ? { path, querystring, header }
          : (path[name] ?? querystring[name] ?? header[name] ?? ''),
    };
    const compiled = new Compile(parsed, { customMethodHandlers: methods });
    const rendered = compiled.render({
      input,
      util,
      stageVariables,
      context: { ...context, responseOverride: override },
    });
    const status = override['status'];
    return {
      text: rendered,
      override: {
        status: status === undefined ? undefined : z.coerce.number().int().parse(status),
        header: z.record(z.string(), z.coerce.string()).parse(override.header),
      },
    };
  };
}

/** The path expressions that templates of ours use: `$`, and names of fields. */
function find(root: unknown, where: string): unknown {
  if (!/^\$(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(where)) {
    throw new Error(
      `$input cannot find "${where}" here: only "$" and names of fields behind it are emulated`,
    );
  }
  const names = where.split('.').slice(1);
  const found = names.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null ? Object.getOwnPropertyDescriptor(at, name)?.value : undefined,
    root,
  );
  // API Gateway has an empty text for what is not there, and for what is empty.
  if (found === undefined || found === null) return '';
  return typeof found === 'object' && Object.keys(found).length === 0 && where === '$' ? '' : found;
}

const util = {
  escapeJavaScript: (text: unknown): string => escapeJavaScript(String(text)),
  base64Encode: (text: unknown): string => Buffer.from(String(text)).toString('base64'),
  base64Decode,
  urlEncode: (text: unknown): string => encodeURIComponent(String(text)).replaceAll('%20', '+'),
};

/** As Java's decoder: it refuses what is none, and with it the template fails. */
function base64Decode(text: unknown): string {
  const encoded = String(text);
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded))
    throw new Error('$util.base64Decode was given what is no base64');
  return Buffer.from(encoded, 'base64').toString('utf8');
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "'": "\\'",
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\n': '\\n',
  '\t': '\\t',
  '\f': '\\f',
  '\r': '\\r',
};

/** As the library of Apache's that API Gateway uses: everything that is no ASCII is written as a number. */
function escapeJavaScript(text: string): string {
  return text.replace(
    /["'\\/]|[^\x20-\x7e]/gu,
    (each) =>
      escapes[each] ??
      Array.from({ length: each.length }, (_, unit) => hexadecimal(each.charCodeAt(unit))).join(''),
  );
}

const hexadecimal = (unit: number): string => `\\u${unit.toString(16).toUpperCase().padStart(4, '0')}`;

type Handler = (context: unknown, params: readonly unknown[]) => unknown;

const textOf = (value: unknown): string => z.string().parse(value);
const isText = (context: unknown): boolean => typeof context === 'string';
const isMap = (context: unknown): boolean =>
  typeof context === 'object' && context !== null && !Array.isArray(context);
const own = (map: unknown, key: unknown): unknown =>
  typeof map === 'object' && map !== null
    ? Object.getOwnPropertyDescriptor(map, String(key))?.value
    : undefined;

/** Methods of Java's texts and maps. Of what is not there nothing is said, as in Velocity. */
const java: Readonly<Record<string, readonly [fits: (context: unknown) => boolean, handle: Handler]>> = {
  matches: [isText, (text, [pattern]) => new RegExp(`^(?:${textOf(pattern)})$`, 's').test(textOf(text))],
  replaceAll: [
    isText,
    (text, [pattern, by]) => textOf(text).replace(new RegExp(textOf(pattern), 'gs'), () => textOf(by)),
  ],
  compareTo: [
    isText,
    (text, [other]) => {
      const [one, two] = [textOf(text), textOf(other)];
      return one < two ? -1 : one > two ? 1 : 0;
    },
  ],
  length: [isText, (text) => textOf(text).length],
  substring: [
    isText,
    (text, [start, end]) => {
      const whole = textOf(text);
      const [first, last] = [
        z.number().parse(start),
        end === undefined ? whole.length : z.number().parse(end),
      ];
      if (first < 0 || last > whole.length || first > last)
        throw new RangeError(
          `substring(${String(first)}, ${String(last)}) of ${String(whole.length)} characters`,
        );
      return whole.slice(first, last);
    },
  ],
  get: [isMap, (map, [key]) => own(map, key)],
  containsKey: [isMap, (map, [key]) => own(map, key) !== undefined],
  entrySet: [
    isMap,
    (map) => Object.entries(z.looseObject({}).parse(map)).map(([key, value]) => ({ key, value })),
  ],
};

const methods = Object.entries(java).map(([property, [fits, handle]]) => ({
  uid: `java: ${property}`,
  match: ({ property: called, context }: { readonly property: string; readonly context: unknown }): boolean =>
    called === property && fits(context),
  resolve: ({
    context,
    params,
  }: {
    readonly context: unknown;
    readonly params: readonly unknown[];
  }): unknown => handle(context, params),
}));
