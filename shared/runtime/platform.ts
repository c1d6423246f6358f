import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Invocation } from '../workflow/services.ts';
import { readConfig, type Config } from './config.ts';
import { createLogger } from './log.ts';

/** What every function has around it, whatever it does. */
export interface Platform {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

let made: Platform | undefined;

/** Made once in each process, when first asked for. @throws ConfigInvalid */
export function platform(): Platform {
  made ??= makePlatform(readConfig());
  return made;
}

function makePlatform(config: Config): Platform {
  const metrics = new Metrics({ namespace: 'Drayage', serviceName: 'drayage' });
  metrics.setDefaultDimensions({ stage: config.STAGE, function: config.AWS_LAMBDA_FUNCTION_NAME });
  return { config, logger: createLogger(config), metrics };
}

/** A function with its logs and metrics around it. */
export function wrap<Event, Result>(
  handle: (event: Event, context: Context) => Promise<Result>,
): (event: Event, context: Context) => Promise<Result> {
  const { logger, metrics } = platform();
  return (
    // No early answer before the time limit: it would leave work pending in an environment that is frozen and
    // woken again later. At the limit the platform ends the process, and with it the work.
    middy<Event, Result>({ timeoutEarlyInMillis: 0 })
      .use(injectLambdaContext(logger, { resetKeys: true }))
      .use(logMetrics(metrics))
      .handler(handle)
  );
}

/** The invocation as the workflow sees it. */
export function invocationOf(
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Invocation {
  const margin = platform().config.DEADLINE_MARGIN_MS;
  return {
    owner: context.awsRequestId,
    remainingMs: () => context.getRemainingTimeInMillis() - margin,
  };
}
