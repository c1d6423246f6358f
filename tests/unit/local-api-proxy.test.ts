import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { readDefinition } from '../../local/api/definition.ts';
import { RestApi } from '../../local/api/rest-api.ts';

const arn = 'arn:aws:lambda:eu-central-1:000000000000:function:explain';
const definition = readDefinition({
  openapi: '3.0.1',
  paths: {
    '/moves/{id}/explanation': {
      get: {
        security: [{ api_key: [] }],
        parameters: [{ name: 'id', in: 'path', required: true }],
        'x-amazon-apigateway-integration': {
          type: 'aws_proxy',
          uri: `arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/${arn}/invocations`,
        },
      },
    },
  },
  components: {},
  'x-amazon-apigateway-gateway-responses': {
    DEFAULT_5XX: { statusCode: 500, responseTemplates: { 'application/json': '{"code":"api-failed"}' } },
  },
});

function open(answer: { readonly payload: string; readonly failed: boolean } | Error) {
  const asked: { readonly arn: string; readonly event: unknown }[] = [];
  const troubles: string[] = [];
  const api = new RestApi({
    ...{ definition, stage: 'local', stageVariables: { table: 't' }, keys: new Map([['secret', 'key-1']]) },
    call: () => Promise.reject(new Error('nobody asks the table')),
    invoke: (to, payload) => {
      asked.push({ arn: to, event: JSON.parse(payload) });
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    onTrouble: (text) => troubles.push(text),
  });
  const ask = async (headers: Record<string, string>) =>
    api.answer({
      ...{
        method: 'GET',
        path: '/moves/mv_1%2F2/explanation',
        query: new URLSearchParams('a=1&a=2'),
        headers,
      },
      ...{ body: '', requestId: 'r-1', at: 1_000 },
    });
  return { ask, asked, troubles };
}

test('a function behind the API gets the request as it came, and answers for itself', async () => {
  const payload = JSON.stringify({ statusCode: 404, headers: { 'Content-Type': 'a/b' }, body: '{"no":1}' });
  const { ask, asked, troubles } = open({ payload, failed: false });
  expect(await ask({ 'x-api-key': 'secret' })).toEqual({
    status: 404,
    headers: { 'Content-Type': 'a/b' },
    text: '{"no":1}',
  });
  expect(asked).toMatchObject([
    {
      arn,
      event: {
        resource: '/moves/{id}/explanation',
        path: '/moves/mv_1%2F2/explanation',
        httpMethod: 'GET',
        pathParameters: { id: 'mv_1/2' },
        multiValueQueryStringParameters: { a: ['1', '2'] },
        requestContext: { stage: 'local', identity: { apiKeyId: 'key-1' } },
        body: null,
      },
    },
  ]);
  expect(troubles).toEqual([]);
});

test('without a key it is not asked', async () => {
  const { ask, asked } = open({ payload: '{}', failed: false });
  expect(await ask({})).toMatchObject({ status: 403 });
  expect(asked).toEqual([]);
});

test.each([
  ['fails', { payload: '{"errorMessage":"no"}', failed: true }],
  ['answers what is no answer', { payload: '{"code":1}', failed: false }],
  ['answers no JSON', { payload: 'no', failed: false }],
  ['is not there', new Error('Function not found')],
])('when it %s, the caller is told so as a problem', async (_, answer) => {
  const { ask, troubles } = open(answer);
  const { status, text } = await ask({ 'x-api-key': 'secret' });
  expect([status, z.unknown().parse(JSON.parse(text))]).toEqual([500, { code: 'api-failed' }]);
  expect(troubles).toHaveLength(1);
});
