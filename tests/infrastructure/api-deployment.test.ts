import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';

const resources = join(import.meta.dirname, '..', '..', 'resources');
const resourceFile = z.object({
  rest: z.custom<(context: object) => Promise<unknown>>((it) => typeof it === 'function'),
});
const made = z.object({
  Resources: z.record(z.string(), z.looseObject({ Properties: z.record(z.string(), z.unknown()) })),
  Outputs: z.record(z.string(), z.unknown()),
});

/** What the resource file makes of a folder, for callers that are known in this way. */
async function madeOf(folder: string, authentication = 'api-key'): Promise<z.output<typeof made>> {
  const { rest } = resourceFile.parse(createRequire(import.meta.url)(join(folder, 'api.cjs')));
  const given: Readonly<Record<string, string>> = {
    'sls:stage': 'test',
    'param:apiAuthentication': authentication,
  };
  return made.parse(await rest({ resolveVariable: async (name: string) => given[name] ?? '100' }));
}

const deploymentIn = ({ Resources }: z.output<typeof made>): string | undefined =>
  Object.keys(Resources).find((id) => id.startsWith('ApiDeployment'));

/** The logical id of the deployment that is made of a folder of resources. */
const deploymentOf = async (folder: string): Promise<string | undefined> =>
  deploymentIn(await madeOf(folder));

test('the deployment of the API is another one when one of its templates is', async () => {
  const now = await deploymentOf(resources);
  const folder = mkdtempSync(join(tmpdir(), 'drayage-api-'));
  try {
    cpSync(join(resources, 'api.cjs'), join(folder, 'api.cjs'));
    cpSync(join(resources, 'api'), join(folder, 'api'), { recursive: true });
    expect(await deploymentOf(folder)).toBe(now);
    const [template = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.vtl'),
    );
    appendFileSync(join(folder, template), '\n');
    expect(await deploymentOf(folder)).not.toBe(now);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('callers that are known by IAM', () => {
  const document = z.object({
    paths: z.record(
      z.string(),
      z.record(
        z.string(),
        z.looseObject({
          security: z.array(z.record(z.string(), z.array(z.string()))),
          parameters: z
            .array(z.object({ name: z.string(), schema: z.object({ enum: z.array(z.string()).optional() }) }))
            .default([]),
        }),
      ),
    ),
    components: z.object({ securitySchemes: z.record(z.string(), z.unknown()) }),
  });
  const documentIn = ({ Resources }: z.output<typeof made>) =>
    document.parse(Resources['Api']?.Properties['Body']);

  test('sign on every route but what browsers ask beforehand, and there are no keys', async () => {
    const all = await madeOf(resources, 'iam');
    const { paths, components } = documentIn(all);
    for (const methods of Object.values(paths)) {
      for (const [verb, { security }] of Object.entries(methods))
        expect([verb, security]).toEqual([verb, verb === 'options' ? [] : [{ sigv4: [] }]]);
    }
    expect(components.securitySchemes).toMatchObject({
      sigv4: { name: 'Authorization', 'x-amazon-apigateway-authtype': 'awsSigv4' },
    });
    // Who has not signed is told so, and not that there is no such route.
    const answers = z
      .looseObject({
        'x-amazon-apigateway-gateway-responses': z.record(z.string(), z.unknown()),
      })
      .parse(all.Resources['Api']?.Properties['Body'])['x-amazon-apigateway-gateway-responses'];
    expect(answers['MISSING_AUTHENTICATION_TOKEN']).toEqual(answers['ACCESS_DENIED']);
    expect(JSON.stringify(answers['ACCESS_DENIED'])).toContain('caller-refused');
    const text = JSON.stringify(all);
    expect(text).not.toMatch(/apiKeyId|api-keys|AWS::ApiGateway::(?:ApiKey|UsagePlan)/);
    expect(Object.keys(all.Outputs)).toEqual([
      'ApiReaderPolicyArn',
      'ApiOperatorPolicyArn',
      'ApiApproverPolicyArn',
    ]);
    expect(deploymentIn(all)).not.toBe(await deploymentOf(resources));
  });

  test('are the source of their requests, wherever a key is where callers have one', async () => {
    const times = (all: unknown, text: string): number => JSON.stringify(all).split(text).length - 1;
    const byKey = times(await madeOf(resources), '/api-keys/$context.identity.apiKeyId');
    expect(byKey).toBeGreaterThan(5);
    expect(times(await madeOf(resources, 'iam'), '/iam/$context.identity.userArn')).toBe(byKey);
  });

  test('may see, say or approve, by the policy that they have, and nothing else', async () => {
    const all = await madeOf(resources, 'iam');
    const may = (policy: string, request: string): boolean =>
      resourcesOf(all.Resources[policy]?.Properties).some((pattern) =>
        new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(request),
      );
    const requests = Object.entries(documentIn(all).paths).flatMap(([path, { get, post }]) => {
      const place = path.replace('{id}', 'x');
      const verbs = post?.parameters.find(({ name }) => name === 'verb')?.schema.enum ?? [''];
      return [
        ...(get === undefined ? [] : [`GET${place}`]),
        ...(post === undefined ? [] : verbs.map((verb) => `POST${place.replace('{verb}', verb)}`)),
      ];
    });
    expect(requests).toEqual(expect.arrayContaining(['GET/hosts/x', 'POST/batches/x/approve']));
    for (const request of requests) {
      const sees = request.startsWith('GET');
      const approves = request.endsWith('/approve');
      expect([
        request,
        ...['Reader', 'Operator', 'Approver'].map((who) => may(`Api${who}Policy`, request)),
      ]).toEqual([request, sees, sees || !approves, sees || approves]);
    }
  });

  test('in a way that there is not are refused before anything is packaged', async () => {
    await expect(madeOf(resources, 'open')).rejects.toThrow('api-key or iam');
  });

  /** What a policy is about, behind the API's stage: `GET/*`. */
  function resourcesOf(properties: unknown): string[] {
    const { PolicyDocument } = z
      .object({
        PolicyDocument: z.object({
          Statement: z.tuple([
            z.strictObject({
              Sid: z.string(),
              Effect: z.literal('Allow'),
              Action: z.literal('execute-api:Invoke'),
              Resource: z.array(z.object({ 'Fn::Sub': z.string() })),
            }),
          ]),
        }),
      })
      .parse(properties);
    return PolicyDocument.Statement[0].Resource.map((one) => {
      const [, behind] = /:\$\{Api\}\/test\/(.*)$/.exec(one['Fn::Sub']) ?? [];
      if (behind === undefined) throw new Error(`${one['Fn::Sub']} is not of this API and stage`);
      return behind;
    });
  }
});

test('the document bounds every text that a request has', async () => {
  const parameters = z.object({
    paths: z.record(
      z.string(),
      z.record(
        z.string(),
        z.looseObject({
          parameters: z
            .array(z.object({ name: z.string(), schema: z.looseObject({ type: z.string() }) }))
            .default([]),
          requestBody: z.object({ description: z.string() }).optional(),
        }),
      ),
    ),
  });
  const { Resources } = await madeOf(resources);
  let looked = 0;
  for (const [path, methods] of Object.entries(
    parameters.parse(Resources['Api']?.Properties['Body']).paths,
  )) {
    for (const { parameters: all, requestBody } of Object.values(methods)) {
      for (const { name, schema } of all) {
        looked += 1;
        const bounds = schema.type === 'string' ? (schema['maxLength'] ?? schema['enum']) : schema['maximum'];
        expect([path, name, bounds]).toEqual([path, name, expect.anything()]);
      }
      if (requestBody !== undefined) expect(requestBody.description).toBe('At most 200,000 characters');
    }
  }
  expect(looked).toBeGreaterThan(20);
});
