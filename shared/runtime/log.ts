import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../ports/log.ts';
import type { Config } from './config.ts';
import { here } from './here.ts';

const secretNames = /^(?:password|passwd|secretstring|authorization|cookie|credentials)$/i;
const passwordInUrl = /(:\/\/[^/\s:@]*):[^@/\s]+@/g;
const passwordInConninfo = /(\bpassword\s*=\s*)(?:'(?:[^'\\]|\\.)*'|\S+)/gi;

/** Takes out what looks like a password. The last line of defence: nothing that is logged should hold one. */
export function redact(name: string, value: unknown): unknown {
  if (secretNames.test(name) && value !== undefined) return '***';
  return typeof value === 'string' ? redactText(value) : value;
}

export function redactText(text: string): string {
  return text.replace(passwordInUrl, '$1:***@').replace(passwordInConninfo, '$1***');
}

/** One line of JSON for each message, with the ids of the invocation. */
export function createLogger(config: Pick<Config, 'STAGE' | 'INSTALLATION' | 'LOG_LEVEL'>): Logger {
  return new Logger({
    serviceName: 'drayage',
    logLevel: config.LOG_LEVEL,
    persistentKeys: { stage: config.STAGE, installation: config.INSTALLATION },
    // The first that it is asked about is the line as a whole.
    jsonReplacerFn: (name, value) => (name === '' ? withPlace(value) : redact(name, value)),
  });
}

/** A line with where in a trace its work stands. */
function withPlace(line: unknown): unknown {
  const place = here();
  return place === undefined || typeof line !== 'object' || line === null
    ? line
    : { ...line, trace: place.trace, span: place.span };
}

/** The logger as the workflow sees it. */
export function logOf(logger: Logger): Log {
  return {
    info: (message, fields = {}) => {
      logger.info(redactText(message), { ...fields });
    },
    warn: (message, fields = {}) => {
      logger.warn(redactText(message), { ...fields });
    },
    error: (message, fields = {}) => {
      logger.error(redactText(message), { ...fields });
    },
  };
}
