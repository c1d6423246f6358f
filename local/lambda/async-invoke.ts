import { z } from 'zod';
import type { FunctionPool } from './function-pool.ts';

/** How asynchronous invocations of a function are retried. */
export interface AsyncPolicy {
  readonly retries: number;
  /** ARN that is told of an event that was given up. */
  readonly onFailure: string | undefined;
}

/** AWS waits one and two minutes; here a second stands for a minute. */
const RETRY_MS = 1000;

/**
 * Runs an event that nobody waits for, with Lambda's retries; an event that failed for good goes to `onFailure`
 * through `deliver`. Never rejects.
 */
export async function invokeAsync(
  pool: FunctionPool,
  payload: string,
  policy: AsyncPolicy,
  deliver: (arn: string, body: string) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const result = await pool.invoke(payload);
    if (result.outcome === 'succeeded') return;
    if (attempt >= policy.retries) {
      if (policy.onFailure === undefined) return;
      const body = JSON.stringify({
        version: '1.0',
        timestamp: new Date().toISOString(),
        requestContext: {
          functionArn: pool.spec.arn,
          condition: 'RetriesExhausted',
          approximateInvokeCount: attempt + 1,
        },
        requestPayload: z.unknown().parse(JSON.parse(payload)),
        responsePayload: result.error,
      });
      await deliver(policy.onFailure, body).catch(() => undefined); // as on AWS, the event is lost then
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (attempt + 1)));
  }
}
