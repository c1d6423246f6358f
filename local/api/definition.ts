import { z } from 'zod';
import { readTemplate, type Template } from './velocity.ts';

/** One answer of an integration. */
export interface IntegrationAnswer {
  readonly status: number;
  /** Headers that are always sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly template: Template | undefined;
}

/** A method of the API, ready to be run. */
export interface Method {
  readonly needsKey: boolean;
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** What the body must be, if it is looked at. */
  readonly bodySchema: object | undefined;
  readonly integration: MappedIntegration | ProxyIntegration;
}

/** Templates stand before a service and behind it. */
export interface MappedIntegration {
  readonly kind: 'mapped';
  /** The action of DynamoDB that is asked; undefined: nobody is, the answer is made up. */
  readonly action: string | undefined;
  readonly request: Template;
  readonly answerFor: (status: number) => IntegrationAnswer;
}

/** A function gets the request as it came, and answers for itself. */
interface ProxyIntegration {
  readonly kind: 'proxy';
  readonly functionArn: string;
}

/** What API Gateway answers by itself. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A method that a request is about. */
export interface Found {
  readonly method: Method;
  /** Its path, as the document has it: `/moves/{id}`. */
  readonly resource: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** An API as its OpenAPI document describes it. */
export interface Definition {
  find(method: string, path: string): Found | undefined;
  gatewayAnswer(type: GatewayProblem): GatewayAnswer;
}

export const gatewayProblems = {
  BAD_REQUEST_BODY: 400,
  BAD_REQUEST_PARAMETERS: 400,
  INVALID_API_KEY: 403,
  MISSING_AUTHENTICATION_TOKEN: 403,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTEGRATION_FAILURE: 504,
  /** A function has failed, or has answered what is no answer. */
  DEFAULT_5XX: 502,
  API_CONFIGURATION_ERROR: 500,
} as const;
export type GatewayProblem = keyof typeof gatewayProblems;

const texts = z.record(z.string(), z.string());
const mapped = z.object({
  type: z.enum(['aws', 'mock']),
  uri: z.string().optional(),
  requestTemplates: z.object({ 'application/json': z.string() }),
  responses: z.record(
    z.string(),
    z.object({
      statusCode: z.coerce.number().int(),
      responseParameters: texts.default({}),
      responseTemplates: z.object({ 'application/json': z.string() }).optional(),
    }),
  ),
});
const proxy = z.object({ type: z.literal('aws_proxy'), uri: z.string() });
const integration = z.discriminatedUnion('type', [mapped, proxy]);
const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().default(false),
});
const operation = z.object({
  // Nobody checks signatures here: a document that asks for them is none that is run.
  security: z.array(z.strictObject({ api_key: z.array(z.string()) })).default([]),
  parameters: z.array(parameter).default([]),
  requestBody: z
    .object({ content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }) })
    .optional(),
  'x-amazon-apigateway-integration': integration,
});
const definition = z.object({
  openapi: z.string().startsWith('3.0'),
  paths: z.record(z.string().startsWith('/'), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.looseObject({})).default({}) }),
  'x-amazon-apigateway-gateway-responses': z
    .record(
      z.string(),
      z.object({
        statusCode: z.coerce.number().int().optional(),
        responseParameters: texts.default({}),
        responseTemplates: z.object({ 'application/json': z.string() }).optional(),
      }),
    )
    .default({}),
});

/**
 * Reads the body of a `AWS::ApiGateway::RestApi`. As AWS does, without what it says of security at its root.
 * @throws ZodError for what is not run here
 */
export function readDefinition(body: unknown): Definition {
  const read = definition.parse(body);
  const { schemas } = read.components;
  const routes = Object.entries(read.paths).map(([path, methods]) => ({
    resource: path,
    pattern: patternOf(path),
    names: [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? ''),
    // What is written out goes before what is left open.
    open: [...path.matchAll(/\{/g)].length,
    methods: new Map(
      Object.entries(methods).map(([method, one]) => [method.toUpperCase(), methodOf(one, schemas)]),
    ),
  }));
  routes.sort((one, other) => one.open - other.open);
  return {
    find(verb, path) {
      for (const { resource, pattern, names, methods } of routes) {
        const found = pattern.exec(path);
        const method = found === null ? undefined : methods.get(verb);
        if (found === null || method === undefined) continue;
        const parameters = Object.fromEntries(names.map((name, at) => [name, decoded(found[at + 1] ?? '')]));
        return { method, resource, parameters };
      }
      return undefined;
    },
    gatewayAnswer(type) {
      const status = gatewayProblems[type];
      const responses = read['x-amazon-apigateway-gateway-responses'];
      const found = responses[type] ?? responses[status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX'];
      return {
        status: found?.statusCode ?? status,
        headers: constants(found?.responseParameters ?? {}, 'gatewayresponse.header.'),
        text: found?.responseTemplates?.['application/json'] ?? JSON.stringify({ message: type }),
      };
    },
  };
}

function methodOf(one: z.infer<typeof operation>, schemas: Readonly<Record<string, object>>): Method {
  const { security, parameters, requestBody, 'x-amazon-apigateway-integration': how } = one;
  const required = (where: 'query' | 'header'): string[] =>
    parameters.flatMap(({ name, in: place, required: isNeeded }) =>
      isNeeded && place === where ? [name] : [],
    );
  const body = requestBody?.content['application/json'].schema;
  return {
    needsKey: security.length > 0,
    requiredQuery: required('query'),
    requiredHeaders: required('header').map((name) => name.toLowerCase()),
    bodySchema: body === undefined ? undefined : { ...body, components: { schemas } },
    integration: integrationOf(how),
  };
}

function integrationOf(how: z.infer<typeof integration>): Method['integration'] {
  if (how.type === 'aws_proxy') return { kind: 'proxy', functionArn: functionIn(how.uri) };
  return {
    kind: 'mapped',
    action: how.type === 'mock' ? undefined : actionOf(how.uri ?? ''),
    request: readTemplate(how.requestTemplates['application/json']),
    answerFor: answersOf(how),
  };
}

function answersOf({ responses }: z.infer<typeof mapped>): MappedIntegration['answerFor'] {
  const answers = Object.entries(responses).map(([pattern, response]) => ({
    pattern: pattern === 'default' ? undefined : new RegExp(`^(?:${pattern})$`),
    answer: {
      status: response.statusCode,
      headers: constants(response.responseParameters, 'method.response.header.'),
      template:
        response.responseTemplates === undefined
          ? undefined
          : readTemplate(response.responseTemplates['application/json']),
    },
  }));
  return (status) => {
    const found =
      answers.find(({ pattern }) => pattern?.test(String(status))) ??
      answers.find(({ pattern }) => pattern === undefined);
    if (found === undefined) throw new Error(`the integration has no answer for status ${String(status)}`);
    return found.answer;
  };
}

/** Only constants, in single quotes, are mapped here; what else there may be is not run. */
function constants(parameters: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      const constant = /^'(.*)'$/.exec(value)?.[1];
      if (!name.startsWith(prefix) || constant === undefined)
        throw new Error(`the mapping ${name}: ${value} is not run by the embedded cloud`);
      return [name.slice(prefix.length), constant];
    }),
  );
}

const actionOf = (uri: string): string => partOf(uri, /:dynamodb:action\/([A-Za-z]+)$/);
const functionIn = (uri: string): string =>
  partOf(uri, /:lambda:path\/2015-03-31\/functions\/(arn:[^/]+)\/invocations$/);

function partOf(uri: string, pattern: RegExp): string {
  const part = pattern.exec(uri)?.[1];
  if (part === undefined) throw new Error(`an integration with ${uri} is not run by the embedded cloud`);
  return part;
}

function patternOf(path: string): RegExp {
  const parts = path
    .split('/')
    .map((part) => (part.startsWith('{') ? '([^/]+)' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}/?$`);
}

/** As it is sent, where it cannot be decoded: the template will not take it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
