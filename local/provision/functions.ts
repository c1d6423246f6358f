import { z } from 'zod';
import type { AsyncPolicy } from '../lambda/async-invoke.ts';
import type { FunctionSpec } from '../lambda/function-spec.ts';
import type { ServicePackage } from '../packaging/package.ts';
import type { Stack } from '../template/stack.ts';

const number = z.coerce.number();
const variable = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const functionProperties = z.object({
  Handler: z.string(),
  Runtime: z.string().default('nodejs24.x'),
  MemorySize: number.default(128),
  Timeout: number.default(3),
  ReservedConcurrentExecutions: number.optional(),
  Environment: z.object({ Variables: z.record(z.string(), variable).default({}) }).optional(),
  Code: z.object({ S3Key: z.string() }),
  DeadLetterConfig: z.object({ TargetArn: z.string() }).optional(),
});

const invokeConfig = z.object({
  FunctionName: z.string(),
  MaximumRetryAttempts: number.optional(),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }).optional() }).optional(),
});

/** A function, and how events that nobody waits for are retried. */
export interface ProvisionedFunction {
  readonly spec: FunctionSpec;
  readonly asyncPolicy: AsyncPolicy;
}

/** AWS's own default for asynchronous events. */
const ASYNC_RETRIES = 2;

/** The template's functions, with code folder and variables resolved. */
export function provisionFunctions(stack: Stack, service: ServicePackage): ProvisionedFunction[] {
  const configs = stack
    .ofType('AWS::Lambda::EventInvokeConfig')
    .map(({ properties }) => invokeConfig.parse(properties));
  return stack.ofType('AWS::Lambda::Function').map(({ logicalId, properties }) => {
    const parsed = functionProperties.parse(properties);
    const name = stack.ref(logicalId);
    const code = service.code(parsed.Code.S3Key);
    const config = configs.find(({ FunctionName }) => [name, stack.arn(logicalId)].includes(FunctionName));
    return {
      spec: {
        logicalId,
        name,
        arn: stack.arn(logicalId),
        handler: parsed.Handler,
        codeDir: code.dir,
        codeDigest: code.digest,
        runtime: parsed.Runtime,
        memoryMb: parsed.MemorySize,
        timeoutMs: parsed.Timeout * 1000,
        reservedConcurrency: parsed.ReservedConcurrentExecutions,
        environment: parsed.Environment?.Variables ?? {},
      },
      asyncPolicy: {
        retries: config?.MaximumRetryAttempts ?? ASYNC_RETRIES,
        onFailure: config?.DestinationConfig?.OnFailure?.Destination ?? parsed.DeadLetterConfig?.TargetArn,
      },
    };
  });
}
