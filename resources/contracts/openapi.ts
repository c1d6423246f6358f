import type * as z from 'zod';
import { page } from '../../shared/contracts/api/fields.ts';
import { problem, problems, type ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import { moveLabels } from '../../shared/domain/move.ts';
import { postingAnswer } from '../../shared/contracts/api/bodies.ts';
import { commands, type CommandRoute } from './commands.ts';
import { postingAnswer as postingTemplate, postingOf } from './vtl/postings.ts';
import { reads, requestIdPattern, requestSource, type ListingRoute, type LookupRoute } from './reads.ts';
import { schemaOf } from './schema.ts';
import { listingOf, lookupOf, patternOf } from './vtl/parameters.ts';
import { failedInTable, listingAnswer, lookupAnswer, problemText, refusedByTable } from './vtl/responses.ts';

/** The document that API Gateway is given, with the names of files where templates belong, and those files. */
export interface ApiDocument {
  readonly document: JsonObject;
  /** By their names below `resources/api/`. */
  readonly templates: Readonly<Record<string, string>>;
}

/** A route, in the words of the document. */
export interface Operation {
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly JsonObject[];
  /** The name of the body's schema. */
  readonly body?: string;
  readonly status: 200 | 202;
  /** The name of the answer's schema. */
  readonly answer: string;
  readonly problems: readonly ProblemCode[];
  readonly action: 'GetItem' | 'Query' | 'UpdateItem';
  readonly request: string;
  readonly response: string;
}

const json = 'application/json';
const problemJson = 'application/problem+json';
const requestTemplate = (name: string): string => `templates/${name}.request.vtl`;
const responseTemplate = (name: string): string => `templates/${name}.response.vtl`;
const refusedFile = 'templates/refused.vtl';
const failedFile = 'templates/failed.vtl';

/** Puts the API together. */
export function buildApi(): ApiDocument {
  const operations = [...reads.map(operationOf), ...commands.map(operationOfCommand)];
  const schemas: Record<string, z.ZodType> = { Problem: problem, Posted: postingAnswer };
  for (const route of reads) {
    if (route.kind === 'lookup') schemas[route.called] = route.answer;
    else schemas[`${route.called}Page`] = page(route.field, route.item);
  }
  for (const { called, body } of commands) schemas[called] = body;
  const paths = [...new Set(operations.map(({ path }) => path))].sort();
  return {
    document: {
      openapi: '3.0.1',
      info: {
        title: 'Drayage',
        version: '1',
        description:
          'Where endpoints are, how hosts, batches and moves are, and what is to be done with them.',
      },
      paths: Object.fromEntries(paths.map((path) => [path, pathOf(path, operations)])),
      components: {
        schemas: Object.fromEntries(
          Object.entries(schemas).map(([name, schema]) => [name, schemaOf(schema, 'openapi-3.0')]),
        ),
        securitySchemes: { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
      },
      security: [{ api_key: [] }],
      'x-amazon-apigateway-request-validators': {
        whole: { validateRequestParameters: true, validateRequestBody: true },
      },
      'x-amazon-apigateway-request-validator': 'whole',
      'x-amazon-apigateway-gateway-responses': gatewayResponses,
    },
    templates: {
      [refusedFile]: refusedByTable,
      [failedFile]: failedInTable,
      ...Object.fromEntries(
        operations.flatMap(({ name, request, response }) => [
          [requestTemplate(name), request],
          [responseTemplate(name), response],
        ]),
      ),
    },
  };
}

const pathParameter = (pattern: RegExp): JsonObject => ({
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: `^${patternOf(pattern)}$` },
});

const pageParameters: readonly JsonObject[] = [
  {
    name: 'limit',
    in: 'query',
    description: 'How many at the most; 100 unless said otherwise',
    schema: { type: 'integer', minimum: 1, maximum: 500 },
  },
  {
    name: 'page',
    in: 'query',
    description: 'Where to go on: `next` of the page before',
    schema: { type: 'string', maxLength: 400 },
  },
];

function operationOf(route: LookupRoute | ListingRoute): Operation {
  const { path, name, summary, description } = route;
  const about = { path, method: 'get', name, summary, description, status: 200 } as const;
  if (route.kind === 'lookup') {
    return {
      ...about,
      parameters: [pathParameter(route.row.id)],
      answer: route.called,
      problems: [route.unknown],
      action: 'GetItem',
      request: lookupOf(route.row),
      response: lookupAnswer(route.answer, route.unknown),
    };
  }
  const { rows, field, item, called, query } = route;
  return {
    ...about,
    parameters: [
      ...(rows.id === undefined ? [] : [pathParameter(rows.id)]),
      ...(rows.query === undefined || query === undefined ? [] : [queryParameter(rows.query.name, query)]),
      ...pageParameters,
    ],
    answer: `${called}Page`,
    problems: ['parameter-invalid'],
    action: 'Query',
    request: listingOf(rows),
    response: listingAnswer(field, item, rows.cursor),
  };
}

function operationOfCommand({ posting, body: _, called, ...about }: CommandRoute): Operation {
  const { id, type } = posting;
  return {
    ...about,
    method: 'post',
    parameters: [
      ...(id === undefined ? [] : [pathParameter(id)]),
      ...(typeof type === 'string' ? [] : [verbParameter(Object.keys(type))]),
      {
        name: 'Idempotency-Key',
        in: 'header',
        required: true,
        description: "The request's id: the same key with the same body is the same request",
        schema: { type: 'string', pattern: requestIdPattern.source },
      },
    ],
    body: called,
    status: 202,
    answer: 'Posted',
    problems: ['parameter-invalid', 'parameter-missing', 'body-invalid', 'request-id-reused'],
    action: 'UpdateItem',
    request: postingOf(posting, requestSource, requestIdPattern),
    response: postingTemplate,
  };
}

const verbParameter = (verbs: readonly string[]): JsonObject => ({
  name: 'verb',
  in: 'path',
  required: true,
  schema: { type: 'string', enum: [...verbs] },
});

const queryParameter = (name: string, query: NonNullable<ListingRoute['query']>): JsonObject => ({
  name,
  in: 'query',
  ...query,
  schema: name === 'state' ? { type: 'string', enum: [...moveLabels] } : { type: 'string' },
});

function pathOf(path: string, operations: readonly Operation[]): JsonObject {
  const here = operations.filter((operation) => operation.path === path);
  return {
    ...Object.fromEntries(here.map((operation) => [operation.method, methodOf(operation)])),
    options: preflightOf(here),
  };
}

const allowOrigin = 'Access-Control-Allow-Origin';
const textHeader = { schema: { type: 'string' } };
const header = (name: string): string => `method.response.header.${name}`;

/** Who may be told of a problem on any route. */
const everywhere = ['api-key-refused', 'rate-exceeded', 'api-failed', 'store-busy'] as const;

function methodOf(operation: Operation): JsonObject {
  const { name, summary, description, parameters, body, status, answer, action } = operation;
  const location = status === 202 ? ['Location'] : [];
  const statuses = new Map<number, ProblemCode[]>();
  const known: readonly ProblemCode[] = [...operation.problems, ...everywhere];
  for (const code of known)
    statuses.set(problems[code].status, [...(statuses.get(problems[code].status) ?? []), code]);
  return {
    operationId: name,
    summary,
    description,
    parameters: [...parameters],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [json]: { schema: { $ref: `#/components/schemas/${body}` } } },
          },
        }),
    responses: {
      [String(status)]: {
        description: summary,
        headers: Object.fromEntries([allowOrigin, ...location].map((one) => [one, textHeader])),
        content: { [json]: { schema: { $ref: `#/components/schemas/${answer}` } } },
      },
      ...Object.fromEntries(
        [...statuses]
          .sort(([one], [other]) => one - other)
          .map(([of, codes]) => [
            String(of),
            {
              description: codes.map((code) => `\`${code}\`: ${problems[code].sentence}`).join(' '),
              headers: { [allowOrigin]: textHeader, 'Content-Type': textHeader },
              content: { [problemJson]: { schema: { $ref: '#/components/schemas/Problem' } } },
            },
          ]),
      ),
    },
    'x-amazon-apigateway-integration': {
      type: 'aws',
      httpMethod: 'POST',
      uri: `dynamodb:action/${action}`,
      passthroughBehavior: 'never',
      timeoutInMillis: 10_000,
      requestTemplates: { [json]: requestTemplate(name) },
      responses: {
        default: answered(status, responseTemplate(name)),
        '4\\d{2}': refused(statuses.has(400) ? 400 : 500, refusedFile),
        '5\\d{2}': refused(503, failedFile),
      },
    },
  };
}

const answered = (status: number, template: string): JsonObject => ({
  statusCode: String(status),
  responseParameters: { [header(allowOrigin)]: "'*'" },
  responseTemplates: { [json]: template },
});

const refused = (status: number, template: string): JsonObject => ({
  statusCode: String(status),
  responseParameters: { [header(allowOrigin)]: "'*'", [header('Content-Type')]: `'${problemJson}'` },
  responseTemplates: { [json]: template },
});

/** A browser asks before it sends a header of ours; it has no key then. */
function preflightOf(operations: readonly Operation[]): JsonObject {
  const methods = [...operations.map(({ method }) => method.toUpperCase()), 'OPTIONS'].join(',');
  const headers: Record<string, string> = {
    [allowOrigin]: '*',
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': 'Content-Type,Idempotency-Key,X-Api-Key',
    'Access-Control-Expose-Headers': 'Location',
    'Access-Control-Max-Age': '3600',
  };
  return {
    summary: 'What a browser may send',
    security: [],
    responses: {
      '200': {
        description: 'What a browser may send',
        headers: Object.fromEntries(Object.keys(headers).map((name) => [name, textHeader])),
      },
    },
    'x-amazon-apigateway-integration': {
      type: 'mock',
      passthroughBehavior: 'when_no_match',
      requestTemplates: { [json]: '{"statusCode": 200}' },
      responses: {
        default: {
          statusCode: '200',
          responseParameters: Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [header(name), `'${value}'`]),
          ),
        },
      },
    },
  };
}

/** What API Gateway answers by itself. */
const gatewayResponses: JsonObject = Object.fromEntries(
  Object.entries({
    DEFAULT_4XX: 'parameter-invalid',
    DEFAULT_5XX: 'api-failed',
    ACCESS_DENIED: 'api-key-refused',
    BAD_REQUEST_BODY: 'body-invalid',
    BAD_REQUEST_PARAMETERS: 'parameter-missing',
    INTEGRATION_FAILURE: 'store-busy',
    INTEGRATION_TIMEOUT: 'store-busy',
    INVALID_API_KEY: 'api-key-refused',
    MISSING_AUTHENTICATION_TOKEN: 'route-unknown',
    QUOTA_EXCEEDED: 'rate-exceeded',
    RESOURCE_NOT_FOUND: 'route-unknown',
    THROTTLED: 'rate-exceeded',
    UNSUPPORTED_MEDIA_TYPE: 'body-invalid',
  } satisfies Record<string, ProblemCode>).map(([type, code]) => [
    type,
    {
      ...(type.startsWith('DEFAULT') ? {} : { statusCode: problems[code].status }),
      responseParameters: {
        [`gatewayresponse.header.${allowOrigin}`]: "'*'",
        'gatewayresponse.header.Content-Type': `'${problemJson}'`,
      },
      responseTemplates: { [json]: problemText(code) },
    },
  ]),
);
