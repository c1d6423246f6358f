import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { StoreUnavailable } from '../ports/failures.ts';

/**
 * What a failed call means:
 * - `condition`: answered; the condition did not hold
 * - `throttled`: answered; nothing was done, ask again later
 * - `unsent`: it never reached the service
 * - `lost`: no answer, or one that says nothing: it may have happened, or happen yet
 * - `wrong`: answered; the call itself is at fault, and will be next time
 */
export type Trouble = 'condition' | 'throttled' | 'unsent' | 'lost' | 'wrong';

const conditionCodes = new Set([
  'ConditionalCheckFailed',
  'ConditionalCheckFailedException',
  'DuplicateItem',
  'DuplicateItemException',
]);
const throttleCodes = new Set([
  'ProvisionedThroughputExceeded',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestLimitExceededException',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'Throttled',
  'ThrottledException',
  'Throttling',
  'ThrottlingError',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionConflict',
  'TransactionConflictException',
]);
const lostCodes = new Set(['InternalServerError', 'InternalFailure', 'ServiceUnavailable', 'InternalError']);
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** What a code in the answer to one entry of a batch means. */
export function troubleOfCode(code: string | undefined): Trouble {
  if (code === undefined || lostCodes.has(code)) return 'lost';
  if (conditionCodes.has(code)) return 'condition';
  if (throttleCodes.has(code)) return 'throttled';
  return 'wrong';
}

const failedCall = z.object({
  name: z.string().optional(),
  code: z.string().optional(),
  $metadata: z.object({ httpStatusCode: z.number().optional(), attempts: z.number().optional() }).optional(),
  Item: z.custom<Record<string, AttributeValue>>((it) => typeof it === 'object').optional(),
});

export interface CallFailure {
  readonly trouble: Trouble;
  /** How often the SDK sent it, as far as known. */
  readonly attempts: number;
  /** The row as it stood when the condition failed, if the service says. */
  readonly item: Record<string, AttributeValue> | undefined;
}

/** What an error thrown by an SDK client means. */
export function readFailure(error: unknown): CallFailure {
  const parsed = failedCall.safeParse(error);
  if (!parsed.success) return { trouble: 'wrong', attempts: 1, item: undefined };
  const { name, code, $metadata, Item } = parsed.data;
  const status = $metadata?.httpStatusCode;
  return {
    trouble: troubleOfCall(name, code, status),
    attempts: $metadata?.attempts ?? 1,
    item: Item,
  };
}

function troubleOfCall(
  name: string | undefined,
  code: string | undefined,
  status: number | undefined,
): Trouble {
  if (status !== undefined && status >= 400)
    return status >= 500 && !throttleCodes.has(name ?? '') ? 'lost' : troubleOfCode(name);
  if (code !== undefined && unsentCodes.has(code)) return 'unsent';
  return 'lost';
}

/**
 * An error as callers of the ports know it: outages and throttling are `StoreUnavailable`, anything else stays
 * what it is.
 */
export function asPortError(error: unknown, what: string): unknown {
  if (error instanceof StoreUnavailable) return error;
  const { trouble } = readFailure(error);
  if (trouble === 'condition' || trouble === 'wrong') return error;
  return new StoreUnavailable(`${what} is unavailable (${trouble}: ${messageOf(error)})`, { cause: error });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
