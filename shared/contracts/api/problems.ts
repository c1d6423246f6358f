import * as z from 'zod';
import type { Failure } from '../../domain/failure.ts';

/** `application/problem+json` (RFC 9457), with a code of ours, and the cure. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    cure: z.string(),
  })
  .meta({ description: 'What went wrong: a code of errors.md, a sentence (title) and the cure' });

export interface Problem extends Failure {
  readonly status: number;
}

/** Everything with which the API answers when it does not do what it was asked. */
export const problems = {
  'endpoint-unknown': {
    status: 404,
    code: 'endpoint-unknown',
    sentence: 'There is no endpoint of that name.',
    cure: 'Look for its name at /hosts/{id}/endpoints, or register it.',
  },
  'host-unknown': {
    status: 404,
    code: 'host-unknown',
    sentence: 'There is no host of that name.',
    cure: 'Look for its name at /hosts, or register it.',
  },
  'batch-unknown': {
    status: 404,
    code: 'batch-unknown',
    sentence: 'There is no batch with that id.',
    cure: 'Look for its id at /batches.',
  },
  'move-unknown': {
    status: 404,
    code: 'move-unknown',
    sentence: 'There is no move with that id.',
    cure: 'Look for its id at /batches/{id}/moves.',
  },
  'request-unknown': {
    status: 404,
    code: 'request-unknown',
    sentence: 'There is no request with that id under this API key.',
    cure: 'Ask with the key with which it was made, and the id that was given as Idempotency-Key.',
  },
  'route-unknown': {
    status: 404,
    code: 'route-unknown',
    sentence: 'There is no such route.',
    cure: 'Look at docs/api.md for what there is.',
  },
  'parameter-invalid': {
    status: 400,
    code: 'parameter-invalid',
    sentence: 'A parameter, or the body, is not what it must be.',
    cure: 'See docs/api.md: limit from 1 to 500, page as it was handed out and with the same parameters, a body of at most 200,000 characters, an id of letters and digits.',
  },
  'parameter-missing': {
    status: 400,
    code: 'parameter-missing',
    sentence: 'A parameter that this route needs is missing.',
    cure: 'See docs/api.md for what this route takes.',
  },
  'body-invalid': {
    status: 400,
    code: 'body-invalid',
    sentence: 'The body is not JSON, or not of the form that this route takes.',
    cure: 'See docs/api.md and its OpenAPI document for what this route takes.',
  },
  'request-id-reused': {
    status: 409,
    code: 'request-id-reused',
    sentence: 'A request with that id, and with another body, has been received before.',
    cure: 'Give every request an Idempotency-Key of its own; repeat one only with the same body.',
  },
  'api-key-refused': {
    status: 403,
    code: 'api-key-refused',
    sentence: 'The API key is missing, or is none of this stage.',
    cure: 'Send a key in the header x-api-key; dray env prints that of a running embedded cloud.',
  },
  'caller-refused': {
    status: 403,
    code: 'caller-refused',
    sentence: 'The request is not signed by somebody who may do this.',
    cure: 'Where callers are known by IAM: sign it (SigV4, service execute-api) with credentials that have one of the policies for readers, operators and approvers of this stage.',
  },
  'rate-exceeded': {
    status: 429,
    code: 'rate-exceeded',
    sentence: 'More was asked than the usage plan allows.',
    cure: 'Wait a second, and ask less often.',
  },
  'store-busy': {
    status: 503,
    code: 'store-busy',
    sentence: 'The table cannot answer right now.',
    cure: 'Ask again in a moment: every route is safe to repeat.',
  },
  'api-failed': {
    status: 500,
    code: 'api-failed',
    sentence: 'The API could not do what it was asked.',
    cure: 'Ask again: every route is safe to repeat. If it stays so, look at the logs of the API.',
  },
} as const satisfies Readonly<Record<string, Problem>>;
export type ProblemCode = keyof typeof problems;
