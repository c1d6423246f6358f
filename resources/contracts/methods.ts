import { problems, type ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import type { Operation } from './operations.ts';
import { longestBody } from './vtl/postings.ts';

const json = 'application/json';
const problemJson = 'application/problem+json';

/** The names of files where templates belong, below `resources/api/`. */
export const fileOf = {
  request: (name: string): string => `templates/${name}.request.vtl`,
  response: (name: string): string => `templates/${name}.response.vtl`,
  refused: 'templates/refused.vtl',
  failed: 'templates/failed.vtl',
};

/** What can be asked at a path, as the document says it. */
export function pathOf(path: string, operations: readonly Operation[]): JsonObject {
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
const everywhere = [
  'api-key-refused',
  'caller-refused',
  'rate-exceeded',
  'api-failed',
  'store-busy',
] as const;

function methodOf(operation: Operation): JsonObject {
  const { name, summary, description, parameters, body, status, answer } = operation;
  const location = status === 202 ? ['Location'] : [];
  const statuses = new Map<number, ProblemCode[]>();
  const known: readonly ProblemCode[] = [...operation.problems, ...everywhere];
  for (const code of known)
    statuses.set(problems[code].status, [...(statuses.get(problems[code].status) ?? []), code]);
  return {
    operationId: name,
    summary,
    description,
    // At each method: API Gateway pays no heed to what stands at the root.
    security: [{ api_key: [] }],
    parameters: [...parameters],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: `At most ${longestBody.toLocaleString('en')} characters`,
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
    'x-amazon-apigateway-integration': integrationOf(operation, statuses.has(400) ? 400 : 500),
  };
}

/** @param refusal the status with which an answer says that the table has refused the question */
function integrationOf({ name, status, by }: Operation, refusal: number): JsonObject {
  if (by.kind === 'function') {
    return {
      type: 'aws_proxy',
      httpMethod: 'POST',
      uri: `lambda:path/2015-03-31/functions/\${${by.logicalId}.Arn}/invocations`,
      passthroughBehavior: 'when_no_match',
      timeoutInMillis: 29_000,
    };
  }
  return {
    type: 'aws',
    httpMethod: 'POST',
    uri: `dynamodb:action/${by.action}`,
    passthroughBehavior: 'never',
    timeoutInMillis: 10_000,
    requestTemplates: { [json]: fileOf.request(name) },
    responses: {
      default: answered(status, fileOf.response(name)),
      '4\\d{2}': refused(refusal, fileOf.refused),
      '5\\d{2}': refused(503, fileOf.failed),
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
