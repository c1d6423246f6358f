import { z } from 'zod';
import { CloudError } from '../cloud-error.ts';
import type { QueueMapping } from '../sources/queue-source.ts';
import type { StreamMapping } from '../sources/stream-source.ts';
import type { Stack } from '../template/stack.ts';
import type { ProvisionedTable } from './tables.ts';

const number = z.coerce.number();

const mappingProperties = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  Enabled: z.union([z.boolean(), z.string()]).default(true),
  BatchSize: number.optional(),
  MaximumBatchingWindowInSeconds: number.default(0),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: number.optional() }).optional(),
  FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })).default([]) }).optional(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).default('LATEST'),
  BisectBatchOnFunctionError: z.union([z.boolean(), z.string()]).default(false),
  MaximumRetryAttempts: number.default(-1),
  MaximumRecordAgeInSeconds: number.default(-1),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }).optional() }).optional(),
});

type Properties = z.infer<typeof mappingProperties>;

/** An event-source mapping and the logical id of its function. */
export type ProvisionedMapping = { readonly functionId: string } & (
  | { readonly kind: 'queue'; readonly mapping: QueueMapping }
  | { readonly kind: 'stream'; readonly mapping: StreamMapping }
);

/** The template's enabled event-source mappings. Throws `TemplateUnresolvable` for a source that is not emulated. */
export function provisionMappings(stack: Stack, tables: readonly ProvisionedTable[]): ProvisionedMapping[] {
  return stack
    .ofType('AWS::Lambda::EventSourceMapping')
    .map(({ logicalId, properties }) => ({ logicalId, properties: mappingProperties.parse(properties) }))
    .filter(({ properties }) => String(properties.Enabled) === 'true')
    .map(({ logicalId, properties }) => {
      const functionId = stack.find('AWS::Lambda::Function', properties.FunctionName);
      if (functionId === undefined) {
        throw new CloudError(
          'TemplateUnresolvable',
          `${logicalId} maps to ${properties.FunctionName}, which is no function of the template.`,
        );
      }
      const queueId = stack.find('AWS::SQS::Queue', properties.EventSourceArn);
      if (queueId !== undefined) {
        return { functionId, kind: 'queue', mapping: queueMapping(stack, logicalId, queueId, properties) };
      }
      const table = tables.find(({ streamArn }) => streamArn === properties.EventSourceArn);
      if (table !== undefined) {
        return { functionId, kind: 'stream', mapping: streamMapping(stack, logicalId, table, properties) };
      }
      throw new CloudError(
        'TemplateUnresolvable',
        `${logicalId} reads from ${properties.EventSourceArn}, which is neither a queue nor a table's stream of the template.`,
      );
    });
}

function common(
  stack: Stack,
  logicalId: string,
  properties: Properties,
): Pick<QueueMapping, 'logicalId' | 'region' | 'windowMs' | 'reportsItemFailures' | 'filters'> {
  return {
    logicalId,
    region: stack.region,
    windowMs: properties.MaximumBatchingWindowInSeconds * 1000,
    reportsItemFailures: properties.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    filters: (properties.FilterCriteria?.Filters ?? []).map(({ Pattern }): unknown => JSON.parse(Pattern)),
  };
}

function queueMapping(
  stack: Stack,
  logicalId: string,
  queueId: string,
  properties: Properties,
): QueueMapping {
  return {
    ...common(stack, logicalId, properties),
    queueUrl: stack.ref(queueId),
    queueArn: stack.arn(queueId),
    batchSize: properties.BatchSize ?? 10,
    maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency,
  };
}

function streamMapping(
  stack: Stack,
  logicalId: string,
  table: ProvisionedTable,
  properties: Properties,
): StreamMapping {
  const { MaximumRetryAttempts: retries, MaximumRecordAgeInSeconds: age } = properties;
  return {
    ...common(stack, logicalId, properties),
    streamArn: table.streamArn,
    view: table.view,
    startingPosition: properties.StartingPosition,
    batchSize: properties.BatchSize ?? 100,
    bisects: String(properties.BisectBatchOnFunctionError) === 'true',
    maximumRetries: retries < 0 ? undefined : retries,
    maximumAgeMs: age < 0 ? undefined : age * 1000,
    onFailure: properties.DestinationConfig?.OnFailure?.Destination,
  };
}
