import { StepFailure } from '../../domain/failure.ts';
import type { Verdict } from '../../domain/failure.ts';
import { sqlStates } from './sql-states.ts';

/** What a failure was about, for its sentence. Never a secret. */
export interface FailureContext {
  /** `host:port` of the server. */
  readonly server: string;
  readonly database?: string;
  readonly user?: string;
}

/** A failure of PostgreSQL, or of the way to it. `sqlState` is there when the server itself answered. */
export class PostgresFailure extends StepFailure {
  readonly sqlState: string | undefined;

  constructor(
    failure: { code: string; sentence: string; cure: string },
    verdict: Verdict,
    options: { readonly sqlState?: string; readonly cause?: unknown } = {},
  ) {
    super(failure, verdict, options.cause === undefined ? undefined : { cause: options.cause });
    this.sqlState = options.sqlState;
  }
}

/** Is it an answer of the server with one of these SQLSTATEs? */
export function hasSqlState(error: unknown, ...states: readonly string[]): error is PostgresFailure {
  return error instanceof PostgresFailure && error.sqlState !== undefined && states.includes(error.sqlState);
}

interface Rule {
  readonly code: string;
  readonly verdict: Verdict;
  readonly says: (context: FailureContext) => string;
  readonly cure: string;
}

const reach = 'Check the address, the firewall and that the server listens there.';
const certificate =
  'Give the CA certificate of the server, or use a host name that its certificate names, or choose tls "require".';

const networkRules: Readonly<Record<string, Rule>> = {
  ECONNREFUSED: {
    code: 'host-unreachable',
    verdict: 'host-down',
    says: ({ server }) => `${server} refused the connection: nothing listens there.`,
    cure: 'Start the server or correct the address of the host.',
  },
  EHOSTUNREACH: {
    code: 'host-unreachable',
    verdict: 'host-down',
    says: ({ server }) => `There is no route to ${server}.`,
    cure: reach,
  },
  ENETUNREACH: {
    code: 'host-unreachable',
    verdict: 'host-down',
    says: ({ server }) => `The network of ${server} cannot be reached.`,
    cure: reach,
  },
  ETIMEDOUT: {
    code: 'host-timeout',
    verdict: 'host-down',
    says: ({ server }) => `${server} did not answer in time; its state is unknown.`,
    cure: reach,
  },
  EAI_AGAIN: {
    code: 'host-name-unresolved',
    verdict: 'host-down',
    says: ({ server }) => `The name of ${server} could not be resolved just now.`,
    cure: 'Check the name server.',
  },
  ENOTFOUND: {
    code: 'host-name-unknown',
    verdict: 'retry',
    says: ({ server }) => `The name of ${server} is not known.`,
    cure: 'Correct the address of the host.',
  },
  ECONNRESET: {
    code: 'connection-lost',
    verdict: 'retry',
    says: ({ server }) => `The connection to ${server} was reset; what it was doing is unknown.`,
    cure: 'Nothing to do if it passes; else look into the log of the server.',
  },
  EPIPE: {
    code: 'connection-lost',
    verdict: 'retry',
    says: ({ server }) => `The connection to ${server} was closed; what it was doing is unknown.`,
    cure: 'Nothing to do if it passes; else look into the log of the server.',
  },
};

const tlsCodes = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
]);

/** Errors of the client library that carry no code: recognised by their fixed text. */
const textRules: readonly (readonly [RegExp, Rule])[] = [
  [
    /timeout expired|Query read timeout|connection timeout/i,
    {
      code: 'host-timeout',
      verdict: 'host-down',
      says: ({ server }) => `${server} did not answer in time; its state is unknown.`,
      cure: reach,
    },
  ],
  [
    /does not support SSL/i,
    {
      code: 'tls-unsupported',
      verdict: 'fail',
      says: ({ server }) => `${server} does not offer TLS.`,
      cure: 'Set ssl = on in the server, or choose tls "disable" for this host.',
    },
  ],
  [
    /password must be a (non-empty )?string/i,
    {
      code: 'password-missing',
      verdict: 'fail',
      says: ({ server, user }) => `${server} asks for a password of ${named(user)} and none was given.`,
      cure: 'Give the secret that holds the password of the host.',
    },
  ],
  [
    /SASL|SCRAM/,
    {
      code: 'authentication-failed',
      verdict: 'fail',
      says: ({ server }) => `The authentication exchange with ${server} failed.`,
      cure: 'Check that the address leads to the PostgreSQL server itself and that the password is right.',
    },
  ],
  [
    /Connection terminated|not queryable|Client was closed|Connection ended|write after end/i,
    {
      code: 'connection-lost',
      verdict: 'retry',
      says: ({ server }) => `The connection to ${server} was closed; what it was doing is unknown.`,
      cure: 'Nothing to do if it passes; else look into the log of the server.',
    },
  ],
];

function named(user: string | undefined): string {
  return user === undefined ? 'the mover' : `"${user}"`;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What must not be shown, however it got into a server's message. */
export function redact(text: string): string {
  return text
    .replace(/(postgres(?:ql)?:\/\/)[^\s"']*/gi, '$1…')
    .replace(
      /\b(\w*(?:password|passfile|secret|sslkey))(\s*[=:]?\s*)('(?:[^'\\]|\\.|'')*'|[^\s"')]+)/gi,
      (whole, key: string, gap: string) =>
        /[=:]/.test(gap) || whole.includes("'") ? `${key}${gap}…` : whole,
    )
    .replace(/SCRAM-SHA-256\$[^\s'"]+/g, 'SCRAM-SHA-256$…')
    .replace(/\bmd5[0-9a-f]{32}\b/g, 'md5…');
}

/** The trace of an error without its message, detail, parameters or query: what may stand in a log. */
function bareCause(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const bare = new Error(codeOf(error) ?? error.name);
  bare.stack = `${bare.message}\n${(error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')}`;
  return bare;
}

function fromRule(rule: Rule, error: unknown, context: FailureContext, sqlState?: string): PostgresFailure {
  const cause = bareCause(error);
  return new PostgresFailure(
    { code: rule.code, sentence: redact(rule.says(context)), cure: rule.cure },
    rule.verdict,
    { ...(sqlState === undefined ? {} : { sqlState }), ...(cause === undefined ? {} : { cause }) },
  );
}

function fromServer(sqlState: string, error: unknown, context: FailureContext): PostgresFailure {
  const text = textOf(error);
  const known = sqlStates.find((rule) => rule.states.test(sqlState) && (rule.text?.test(text) ?? true));
  // Data errors quote the value: a tenant's data has no place in a failure.
  const said = /^2[23]/.test(sqlState) ? `SQLSTATE ${sqlState}` : redact(text);
  const where =
    context.database === undefined ? context.server : `"${context.database}" at ${context.server}`;
  return fromRule(
    {
      code: known?.code ?? 'database-error',
      verdict: known?.verdict ?? 'retry',
      says: () =>
        `${known?.says ?? 'A statement failed'} on ${where}: ${said}${/[.!?]$/.test(said) ? '' : '.'}`,
      cure: known?.cure ?? 'Look into the log of the server.',
    },
    error,
    context,
    sqlState,
  );
}

/**
 * Whatever was thrown by the client library, the network or the server, as one typed failure: stable code,
 * verdict, a sentence with the cause and the cure. Failures pass through as they are.
 */
export function postgresFailure(error: unknown, context: FailureContext): StepFailure {
  if (error instanceof StepFailure) return error;
  const code = codeOf(error);
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && networkRules[code] === undefined) {
    return fromServer(code, error, context);
  }
  // A host with several addresses fails with one error for each of them.
  if (error instanceof AggregateError && error.errors.length > 0 && code === undefined) {
    return postgresFailure(error.errors[0], context);
  }
  const network = code === undefined ? undefined : networkRules[code];
  if (network !== undefined) return fromRule(network, error, context);
  if (code !== undefined && tlsCodes.has(code)) {
    return fromRule(
      {
        code: 'tls-certificate',
        verdict: 'fail',
        says: ({ server }) => `The certificate of ${server} is not trusted (${code}).`,
        cure: certificate,
      },
      error,
      context,
    );
  }
  const text = textOf(error);
  const rule = textRules.find(([pattern]) => pattern.test(text));
  if (rule !== undefined) return fromRule(rule[1], error, context);
  return fromRule(
    {
      code: 'unexpected',
      verdict: 'retry',
      says: ({ server }) => `Something unexpected happened while talking to ${server}: ${redact(text)}`,
      cure: 'If it stays, report it with the log.',
    },
    error,
    context,
  );
}
