import { CliError } from '../cli-error.ts';

/** What the status API is not made for: rows of its own kind, queues, buckets, secrets. @param what `list of refusals` */
export function cannot(what: string): CliError {
  return new CliError({
    code: 'api-cannot',
    sentence: `The status API has no ${what}`,
    cure: 'ask the installation itself: dray --stage <name> [--profile <name>] …, with AWS credentials, or --state-dir <folder> of an embedded cloud',
  });
}

/** The same for whatever is asked of it. */
export const refusing = (what: string) => (): Promise<never> => Promise.reject(cannot(what));
