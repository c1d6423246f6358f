import { z } from 'zod';
import type { Found } from './definition.ts';
import type { ApiAnswer, ApiRequest } from './exchange.ts';

/** A request as a function behind a proxy integration gets it, in the form of REST APIs. */
export function proxyEvent(
  { method, path, query, headers, body }: ApiRequest,
  { resource, parameters }: Pick<Found, 'resource' | 'parameters'>,
  stageVariables: Readonly<Record<string, string>>,
  context: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({
    resource,
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: filled(Object.fromEntries(query)),
    multiValueQueryStringParameters: filled(
      Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)])),
    ),
    pathParameters: filled(parameters),
    stageVariables: filled(stageVariables),
    requestContext: { ...context, resourcePath: resource },
    body: body === '' ? null : body,
    isBase64Encoded: false,
  });
}

/** What is empty is null there. */
const filled = (map: object): object | null => (Object.keys(map).length === 0 ? null : map);

const proxyResult = z.object({
  statusCode: z.coerce.number().int(),
  headers: z.record(z.string(), z.coerce.string()).default({}),
  body: z.string().default(''),
  isBase64Encoded: z.literal(false).default(false),
});

/** @throws SyntaxError, ZodError for what is no answer of such a function */
export function proxyAnswer(payload: string): ApiAnswer {
  const { statusCode, headers, body } = proxyResult.parse(JSON.parse(payload));
  return { status: statusCode, headers: { 'Content-Type': 'application/json', ...headers }, text: body };
}
