import { z } from 'zod';
import { readDefinition, type Definition } from '../api/definition.ts';
import type { ApiKeys } from '../api/keys.ts';
import type { Stack } from '../template/stack.ts';

/** A stage of an API, as the template describes it. */
export interface ApiStageSpec {
  readonly apiId: string;
  readonly stage: string;
  readonly definition: Definition;
  readonly variables: Readonly<Record<string, string>>;
  /** Id of the key, by its value. */
  readonly keys: ReadonlyMap<string, string>;
}

const apiProperties = z.object({ Body: z.looseObject({}) });
const stageProperties = z.object({
  RestApiId: z.string(),
  StageName: z.string(),
  Variables: z.record(z.string(), z.string()).default({}),
});
const keyProperties = z.object({
  Enabled: z.union([z.boolean(), z.stringbool()]).default(false),
  Value: z.string().optional(),
});
const planProperties = z.object({
  ApiStages: z.array(z.object({ ApiId: z.string(), Stage: z.string() })).default([]),
});
const planKeyProperties = z.object({ KeyId: z.string(), UsagePlanId: z.string() });

/** The stages of the template's APIs. A key counts for a stage if a usage plan joins the two, and it is enabled. */
export async function provisionApis(stack: Stack, apiKeys: ApiKeys): Promise<ApiStageSpec[]> {
  const definitions = new Map(
    stack
      .ofType('AWS::ApiGateway::RestApi')
      .map(({ logicalId, properties }) => [
        stack.ref(logicalId),
        readDefinition(apiProperties.parse(properties).Body),
      ]),
  );
  const values = new Map<string, string>();
  for (const { logicalId, properties } of stack.ofType('AWS::ApiGateway::ApiKey')) {
    const { Enabled, Value } = keyProperties.parse(properties);
    const id = stack.ref(logicalId);
    if (Enabled) values.set(id, Value ?? (await apiKeys.valueOf(id)));
  }
  const plans = stack
    .ofType('AWS::ApiGateway::UsagePlan')
    .map(({ logicalId, properties }) => ({ id: stack.ref(logicalId), ...planProperties.parse(properties) }));
  const planKeys = stack
    .ofType('AWS::ApiGateway::UsagePlanKey')
    .map(({ properties }) => planKeyProperties.parse(properties));

  return stack.ofType('AWS::ApiGateway::Stage').flatMap(({ properties }): ApiStageSpec[] => {
    const { RestApiId, StageName, Variables } = stageProperties.parse(properties);
    const definition = definitions.get(RestApiId);
    if (definition === undefined) return [];
    const planned = plans
      .filter(({ ApiStages }) =>
        ApiStages.some(({ ApiId, Stage }) => ApiId === RestApiId && Stage === StageName),
      )
      .map(({ id }) => id);
    const keys = planKeys.flatMap(({ KeyId, UsagePlanId }): [string, string][] => {
      const value = values.get(KeyId);
      return value !== undefined && planned.includes(UsagePlanId) ? [[value, KeyId]] : [];
    });
    return [{ apiId: RestApiId, stage: StageName, definition, variables: Variables, keys: new Map(keys) }];
  });
}
