import type { ProblemCode } from '../../shared/contracts/api/problems.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import { moveLabels } from '../../shared/domain/move.ts';
import { commands, type CommandRoute } from './commands.ts';
import { explanations } from './explanations.ts';
import type { ExplanationRoute, ListingRoute, LookupRoute } from './read-route.ts';
import { reads, requestIdPattern, requestSource } from './reads.ts';
import { listingOf, lookupOf, patternOf } from './vtl/parameters.ts';
import { postingAnswer as postingTemplate, postingOf } from './vtl/postings.ts';
import { listingAnswer, lookupAnswer } from './vtl/responses.ts';

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
  readonly by: AnsweredByTable | AnsweredByFunction;
}

/** Templates stand before the table and behind it. */
interface AnsweredByTable {
  readonly kind: 'table';
  readonly action: 'GetItem' | 'Query' | 'UpdateItem';
  readonly request: string;
  readonly response: string;
}

/** A function gets the request as it came. */
interface AnsweredByFunction {
  readonly kind: 'function';
  /** Its logical id in the stack. */
  readonly logicalId: string;
}

/** A name has so many characters at the most; ids have fewer. */
const longestId = 100;

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
    schema: { type: 'string', maxLength: 500 },
  },
];

/** Every route there is. */
export const operations: readonly Operation[] = [
  ...reads.map(operationOf),
  ...explanations.map(operationOf),
  ...commands.map(operationOfCommand),
];

function operationOf(route: LookupRoute | ListingRoute | ExplanationRoute): Operation {
  const { path, name, summary, description } = route;
  const about = { path, method: 'get', name, summary, description, status: 200 } as const;
  if (route.kind === 'explanation') {
    return {
      ...about,
      parameters: [pathParameter(route.id)],
      answer: 'Explanation',
      problems: [route.unknown],
      by: { kind: 'function', logicalId: 'ExplainLambdaFunction' },
    };
  }
  if (route.kind === 'lookup') {
    return {
      ...about,
      parameters: route.row.id === undefined ? [] : [pathParameter(route.row.id)],
      answer: route.called,
      problems: route.unknown === undefined ? [] : [route.unknown],
      by: {
        kind: 'table',
        action: 'GetItem',
        request: lookupOf(route.row),
        response: lookupAnswer(route.answer, route.unknown),
      },
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
    by: {
      kind: 'table',
      action: 'Query',
      request: listingOf(rows),
      response: listingAnswer(field, item, rows),
    },
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
        schema: { type: 'string', pattern: requestIdPattern.source, maxLength: 128 },
      },
    ],
    body: called,
    status: 202,
    answer: 'Posted',
    problems: ['parameter-invalid', 'parameter-missing', 'body-invalid', 'request-id-reused'],
    by: {
      kind: 'table',
      action: 'UpdateItem',
      request: postingOf(posting, requestSource, requestIdPattern),
      response: postingTemplate,
    },
  };
}

function pathParameter(pattern: RegExp): JsonObject {
  return {
    name: 'id',
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: `^${patternOf(pattern)}$`, maxLength: longestId },
  };
}

function verbParameter(verbs: readonly string[]): JsonObject {
  return { name: 'verb', in: 'path', required: true, schema: { type: 'string', enum: [...verbs] } };
}

function queryParameter(name: string, query: NonNullable<ListingRoute['query']>): JsonObject {
  return {
    name,
    in: 'query',
    ...query,
    schema: name === 'state' ? { type: 'string', enum: [...moveLabels] } : { type: 'string', maxLength: 30 },
  };
}
