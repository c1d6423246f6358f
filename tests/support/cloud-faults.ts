/**
 * What goes wrong with one sending of a call: `throttled`, `in-conflict` and `server-error` are answers, nothing was
 * done; `answer-lost` and `error-after` come although it was done; `slow` is an answer that takes its time.
 */
export const cloudFaults = [
  'throttled',
  'in-conflict',
  'server-error',
  'answer-lost',
  'error-after',
  'slow',
] as const;
export type CloudFault = (typeof cloudFaults)[number];

/** After these nothing was done, and the answer says so. */
export const refusals: ReadonlySet<CloudFault> = new Set(['throttled', 'in-conflict']);

/** Where a client's faults go: right below its own retries, as a service or the network would have them. */
export const belowRetries = { step: 'finalizeRequest', priority: 'low', name: 'faults' } as const;

/** Spoils the next sendings of a client. */
export class Faults {
  readonly next: CloudFault[] = [];
  /** Sendings so far. */
  sent = 0;

  async pass<T>(send: () => Promise<T>): Promise<T> {
    this.sent += 1;
    const fault = this.next.shift();
    if (fault === 'throttled') throw failure('ThrottlingException', 400);
    if (fault === 'in-conflict') throw failure('TransactionConflictException', 400);
    if (fault === 'server-error') throw failure('InternalServerError', 500);
    const answer = await send();
    if (fault === 'answer-lost') throw failure('TimeoutError');
    if (fault === 'error-after') throw failure('InternalServerError', 500);
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 300));
    return answer;
  }
}

function failure(name: string, httpStatusCode?: number): Error {
  return Object.assign(new Error(`${name}, injected`), {
    name,
    $metadata: httpStatusCode === undefined ? {} : { httpStatusCode },
  });
}
