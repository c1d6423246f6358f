import * as z from 'zod';

/** Why a question was not answered: a code, a sentence, and what to do. */
export interface Trouble {
  readonly code: string;
  readonly sentence: string;
  readonly cure: string;
  /** What the API has answered with; absent: it has not answered. */
  readonly status?: number;
}

/** Thrown by whoever asks the API. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  readonly trouble: Trouble;

  constructor(trouble: Trouble, options?: { readonly cause?: unknown }) {
    super(trouble.sentence, options);
    this.trouble = trouble;
  }
}

const problemSchema = z.object({ title: z.string(), code: z.string(), cure: z.string() });
/** What API Gateway says where no answer of ours is in reach. */
const messageSchema = z.object({ message: z.string().nullable() });

/** What an answer that is no success says. */
export function troubleIn(status: number, body: unknown): Trouble {
  const problem = problemSchema.safeParse(body);
  if (problem.success) {
    const { title, code, cure } = problem.data;
    return { code, sentence: title, cure, status };
  }
  const said = messageSchema.safeParse(body);
  return {
    code: `http-${String(status)}`,
    sentence: `The API answered ${String(status)}${said.success && said.data.message !== null ? `: ${said.data.message}` : '.'}`,
    cure: status >= 500 ? 'It is asked again by itself.' : 'See whether the address of the API is right.',
    status,
  };
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Unanswered) return error.trouble;
  if (error instanceof z.ZodError) {
    return {
      code: 'answer-unreadable',
      sentence: `The API answered in a form that this console does not know (${z.prettifyError(error).split('\n')[0] ?? ''}).`,
      cure: 'Load the console again: it and the API may be of different releases.',
    };
  }
  return {
    code: 'console-failed',
    sentence: error instanceof Error ? error.message : String(error),
    cure: 'Load the console again.',
  };
}

/** An id or a name that there is not: the answer will not change by asking often. */
export const isUnknown = ({ status }: Trouble): boolean => status === 404;
/** The key is no good: another one is needed. */
export const isShutOut = ({ status, code }: Trouble): boolean => status === 403 || code === 'api-key-refused';
