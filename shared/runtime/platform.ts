import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Measured, Metric } from '../ports/meter.ts';
import type { Tracer } from '../ports/tracer.ts';
import type { Invocation } from '../workflow/services.ts';
import { machineClock } from './clock.ts';
import { readConfig, type Config } from './config.ts';
import { createLogger, logOf } from './log.ts';
import { machineChance } from './chance.ts';
import { createMeter, type LoggingMeter } from './meter.ts';
import { createSpanSender } from './span-sender.ts';
import { createTracer, placingTracer } from './tracer.ts';

/** What every function has around it, whatever it does. */
export interface Platform {
  readonly config: Config;
  readonly logger: Logger;
  readonly meter: LoggingMeter;
  readonly tracer: Tracer;
  /** What is held back of figures and spans goes out: an environment is frozen when its invocation has ended. */
  readonly flush: () => Promise<void>;
}

let made: Platform | undefined;

/** Made once in each process, when first asked for. @throws ConfigInvalid */
export function platform(): Platform {
  made ??= makePlatform(readConfig());
  return made;
}

function makePlatform(config: Config): Platform {
  const logger = createLogger(config);
  const meter = createMeter(config.STAGE, machineClock);
  const { TRACE_ENDPOINT: endpoint, TRACED_SHARE: share, STAGE, AWS_LAMBDA_FUNCTION_NAME: name } = config;
  const base = { config, logger, meter };
  if (endpoint === undefined) {
    const flush = async (): Promise<void> => {
      meter.flush();
      await Promise.resolve();
    };
    return { ...base, tracer: placingTracer, flush };
  }
  const fate = { clock: machineClock, chance: machineChance };
  const origin = { 'service.name': 'drayage', 'deployment.environment.name': STAGE, 'faas.name': name };
  const sink = createSpanSender({ endpoint, origin, clock: machineClock, log: logOf(logger) });
  const flush = async (): Promise<void> => {
    meter.flush();
    await sink.flush();
  };
  return { ...base, tracer: createTracer({ ...fate, sink, share }), flush };
}

/** A figure of what this very function does. @param also what else it is of */
export function noteOfFunction(metric: Metric, value = 1, ...also: readonly Measured[]): void {
  const { config, meter } = platform();
  meter.note(metric, value, { function: config.AWS_LAMBDA_FUNCTION_NAME }, ...also);
}

/** A function with its logs and figures around it. */
export function wrap<Event, Result>(
  handle: (event: Event, context: Context) => Promise<Result>,
): (event: Event, context: Context) => Promise<Result> {
  const { logger, flush } = platform();
  return (
    // No early answer before the time limit: it would leave work pending in an environment that is frozen and
    // woken again later. At the limit the platform ends the process, and with it the work.
    middy<Event, Result>({ timeoutEarlyInMillis: 0 })
      .use(injectLambdaContext(logger, { resetKeys: true }))
      .handler(async (event, context) => {
        try {
          return await handle(event, context);
        } finally {
          await flush();
        }
      })
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
