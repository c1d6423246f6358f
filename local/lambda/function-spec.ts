/** A function as the template describes it, with everything resolved. */
export interface FunctionSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** `path/of/module.export` below the code folder. */
  readonly handler: string;
  readonly codeDir: string;
  /** Digest of the code's contents: the same code in another folder is no change. */
  readonly codeDigest: string;
  readonly runtime: string;
  /** The limit of memory, in MB. */
  readonly memoryMb: number;
  /** The limit of one invocation, in milliseconds. */
  readonly timeoutMs: number;
  /** At most so many environments at once; nothing means the runner's own limit. */
  readonly reservedConcurrency: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** How an invocation ended. */
export type Invocation =
  | { readonly outcome: 'succeeded'; readonly payload: string }
  | {
      readonly outcome: 'failed' | 'timed-out' | 'crashed' | 'out-of-memory' | 'not-started';
      readonly error: string;
    };
