import { createRequire } from 'node:module';
import * as z from 'zod';
import { RestApi } from '../../local/api/rest-api.ts';
import { startApiServer, type ApiServer } from '../../local/api/server.ts';
import { apiCaller, createTableCaller } from '../../local/api/table-caller.ts';
import { provisionApis } from '../../local/provision/apis.ts';
import { CallLog } from '../../local/servers/call-log.ts';
import { freePort } from '../../local/servers/ports.ts';
import { createStack } from '../../local/template/stack.ts';
import { parseTemplate } from '../../local/template/template.ts';
import { createDynamoClient, createDynamoOnceClient } from '../../shared/aws/clients.ts';
import { createJournal } from '../../shared/aws/journal.ts';
import { createStore } from '../../shared/aws/store.ts';
import type { Journal, Store } from '../../shared/ports/store.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import { invocationContext, variables } from './runtime-environment.ts';
import { createTestTable, localClient, startTestDynamo } from './test-table.ts';

/** What the API has answered, read as JSON. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A path that is encoded already. */
  readonly key?: string | undefined;
}

/** The API that ships, over a table of its own. */
export interface TestApi {
  readonly store: Store;
  readonly journal: Journal;
  /** The time (epoch milliseconds) at which requests come; undefined: now. */
  at: number | undefined;
  /** With a key, unless another (or none) is given. */
  ask(method: string, path: string, asked?: Asked): Promise<TestAnswer>;
  /** The bodies of all requests that were sent to the table. */
  readonly asked: readonly { readonly action: string; readonly body: string }[];
  /** Over HTTP: answers the address of the stage. */
  serve(): Promise<string>;
  close(): Promise<void>;
}

export const testKey = 'a-key-of-more-than-twenty-characters';
const table = 'drayage-api-test';

const resourceFile = z.object({
  rest: z.custom<(context: object) => Promise<{ readonly Resources: Record<string, unknown> }>>(
    (it) => typeof it === 'function',
  ),
});

/** The resources as they are packaged, resolved against a table that is called otherwise than in any stage. */
async function packagedStack() {
  const { rest } = resourceFile.parse(createRequire(import.meta.url)('../../resources/api.cjs'));
  const given: Readonly<Record<string, string>> = {
    'sls:stage': 'test',
    'param:apiAuthentication': 'api-key',
  };
  const { Resources } = await rest({ resolveVariable: async (name: string) => given[name] ?? '100' });
  return createStack({
    template: parseTemplate(
      JSON.stringify({
        Resources: {
          ...Resources,
          Table: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: table } },
          ApiRole: { Type: 'AWS::IAM::Role', Properties: {} },
          ExplainLambdaFunction: { Type: 'AWS::Lambda::Function', Properties: {} },
        },
      }),
      'resources/api.cjs',
    ),
    stackName: 'drayage-test',
    region: 'eu-central-1',
    queueEndpoint: 'http://127.0.0.1:9',
  });
}

/** Asks the function that ships, in this process. */
async function explain(endpoint: string, payload: string): Promise<string> {
  const credentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  const place = { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL_DYNAMODB: endpoint, TABLE_NAME: table };
  Object.assign(process.env, variables, credentials, place, { POWERTOOLS_METRICS_DISABLED: 'true' });
  const { handler } = await import('../../functions/explain/handler.ts');
  return JSON.stringify(await handler(JSON.parse(payload), invocationContext(20_000)));
}

export async function openTestApi(): Promise<TestApi> {
  const dynamo = await startTestDynamo('dynoxide');
  const settings = localClient(dynamo.endpoint);
  const client = createDynamoClient(settings);
  const onceClient = createDynamoOnceClient(settings);
  await createTestTable(client, table);
  const basis = { client, table, clock: machineClock, chance: machineChance };
  const [stage] = await provisionApis(await packagedStack(), { valueOf: async () => testKey });
  if (stage === undefined) throw new Error('the template has no stage of an API');
  const caller = createTableCaller(dynamo.endpoint, 'eu-central-1');
  const asked: { action: string; body: string }[] = [];
  const troubles: string[] = [];
  const calls = CallLog.open('eu-central-1');
  let server: ApiServer | undefined;
  const api = new RestApi({
    definition: stage.definition,
    stage: stage.stage,
    stageVariables: stage.variables,
    keys: stage.keys,
    call: async (action, body) => {
      asked.push({ action, body });
      calls?.note(apiCaller, {
        method: 'POST',
        url: '/',
        target: `DynamoDB_20120810.${action}`,
        // The role that is judged by it is that of a stage.
        fields: z.record(z.string(), z.unknown()).parse(JSON.parse(body.replaceAll(table, 'drayage-local'))),
      });
      return caller.call(action, body);
    },
    invoke: async (_arn, payload) => ({ payload: await explain(dynamo.endpoint, payload), failed: false }),
    onTrouble: (text) => troubles.push(text),
  });
  const made: TestApi = {
    store: createStore({ ...basis, onceClient }),
    journal: createJournal(basis),
    asked,
    at: undefined,
    async ask(method, path, { query = {}, headers = {}, body = '', ...rest } = {}) {
      const key = 'key' in rest ? rest.key : testKey;
      const answer = await api.answer({
        method,
        path,
        query: new URLSearchParams(query),
        headers: { ...headers, ...(key === undefined ? {} : { 'x-api-key': key }) },
        body,
        requestId: '00000000-0000-4000-8000-000000000000',
        at: made.at ?? machineClock.now(),
      });
      if (troubles.length > 0) throw new Error(troubles.join('\n'));
      return {
        status: answer.status,
        headers: answer.headers,
        body: answer.text === '' ? undefined : JSON.parse(answer.text),
      };
    },
    async serve() {
      server = await startApiServer(await freePort(), { figures: () => '' });
      server.serve(new Map([[stage.stage, api]]));
      return `${server.endpoint}/${stage.stage}`;
    },
    async close() {
      await server?.stop();
      caller.close();
      client.destroy();
      onceClient.destroy();
      await dynamo.stop();
    },
  };
  return made;
}
