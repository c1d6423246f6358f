import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import * as z from 'zod';
import { problems, type ProblemCode } from '../contracts/api/problems.ts';
import { StoreUnavailable } from '../ports/failures.ts';
import { explainedKinds, type ExplainedKind } from '../workflow/explain/explain-named.ts';
import { platform, wrap } from './platform.ts';

/** What API Gateway hands over; of the rest of it nothing is asked. */
const question = z.object({
  /** `/moves/{id}/explanation` */
  resource: z
    .string()
    .transform((path) => path.split('/')[1])
    .pipe(z.enum(explainedKinds)),
  pathParameters: z.object({ id: z.string() }),
});

const unknown: Readonly<Record<ExplainedKind, ProblemCode>> = {
  batches: 'batch-unknown',
  moves: 'move-unknown',
  endpoints: 'endpoint-unknown',
  hosts: 'host-unknown',
};

/** A function behind routes of the API that are about one thing each: what it throws is answered as a problem. */
export function readHandler(
  read: (kind: ExplainedKind, id: string) => Promise<object | undefined>,
): (event: unknown, context: Context) => Promise<APIGatewayProxyResult> {
  return wrap(async (event) => {
    const asked = question.safeParse(event);
    if (!asked.success) return problemOf('route-unknown');
    const { resource: kind, pathParameters } = asked.data;
    try {
      const found = await read(kind, pathParameters.id);
      return found === undefined ? problemOf(unknown[kind]) : answer(200, 'application/json', found);
    } catch (error) {
      platform().logger.error('a question could not be answered', {
        kind,
        error: error instanceof Error ? error : new Error(String(error)),
      });
      return problemOf(error instanceof StoreUnavailable ? 'store-busy' : 'api-failed');
    }
  });
}

function problemOf(code: ProblemCode): APIGatewayProxyResult {
  const { status, sentence, cure } = problems[code];
  const problem = { type: `urn:drayage:problem:${code}`, title: sentence, status, code, cure };
  return answer(status, 'application/problem+json', problem);
}

function answer(statusCode: number, type: string, body: object): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { 'Content-Type': type, 'Access-Control-Allow-Origin': '*' },
    body: JSON.stringify(body),
  };
}
