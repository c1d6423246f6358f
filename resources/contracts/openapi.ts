import type * as z from 'zod';
import { postingAnswer } from '../../shared/contracts/api/bodies.ts';
import { explanationAnswer } from '../../shared/contracts/api/explanations.ts';
import { page } from '../../shared/contracts/api/fields.ts';
import { problem, problems, type ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import { commands } from './commands.ts';
import { fileOf, pathOf } from './methods.ts';
import { operations } from './operations.ts';
import { reads } from './reads.ts';
import { schemaOf } from './schema.ts';
import { failedInTable, problemText, refusedByTable } from './vtl/responses.ts';

/** The document that API Gateway is given, with the names of files where templates belong, and those files. */
export interface ApiDocument {
  readonly document: JsonObject;
  /** By their names below `resources/api/`. */
  readonly templates: Readonly<Record<string, string>>;
}

/** Puts the API together. */
export function buildApi(): ApiDocument {
  const schemas: Record<string, z.ZodType> = { Problem: problem, Posted: postingAnswer };
  for (const route of reads) {
    if (route.kind === 'lookup') schemas[route.called] = route.answer;
    else schemas[`${route.called}Page`] = page(route.field, route.item);
  }
  schemas['Explanation'] = explanationAnswer;
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
      'x-amazon-apigateway-request-validators': {
        whole: { validateRequestParameters: true, validateRequestBody: true },
      },
      'x-amazon-apigateway-request-validator': 'whole',
      'x-amazon-apigateway-gateway-responses': gatewayResponses,
    },
    templates: {
      [fileOf.refused]: refusedByTable,
      [fileOf.failed]: failedInTable,
      ...Object.fromEntries(
        operations.flatMap(({ name, by }) =>
          by.kind === 'function'
            ? []
            : [
                [fileOf.request(name), by.request],
                [fileOf.response(name), by.response],
              ],
        ),
      ),
    },
  };
}

/** What API Gateway answers by itself. */
const gatewayResponses: JsonObject = Object.fromEntries(
  Object.entries({
    DEFAULT_4XX: 'parameter-invalid',
    DEFAULT_5XX: 'api-failed',
    ACCESS_DENIED: 'caller-refused',
    BAD_REQUEST_BODY: 'body-invalid',
    BAD_REQUEST_PARAMETERS: 'parameter-missing',
    EXPIRED_TOKEN: 'caller-refused',
    INTEGRATION_FAILURE: 'store-busy',
    INTEGRATION_TIMEOUT: 'store-busy',
    INVALID_API_KEY: 'api-key-refused',
    INVALID_SIGNATURE: 'caller-refused',
    MISSING_AUTHENTICATION_TOKEN: 'route-unknown',
    QUOTA_EXCEEDED: 'rate-exceeded',
    RESOURCE_NOT_FOUND: 'route-unknown',
    THROTTLED: 'rate-exceeded',
    UNSUPPORTED_MEDIA_TYPE: 'body-invalid',
  } satisfies Record<string, ProblemCode>).map(([type, code]) => [
    type,
    {
      ...(type === 'DEFAULT_4XX' ? {} : { statusCode: problems[code].status }),
      responseParameters: {
        'gatewayresponse.header.Access-Control-Allow-Origin': "'*'",
        'gatewayresponse.header.Content-Type': "'application/problem+json'",
      },
      responseTemplates: { 'application/json': problemText(code) },
    },
  ]),
);
