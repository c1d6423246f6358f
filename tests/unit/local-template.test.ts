import { describe, expect, test } from '@jest/globals';
import { createStack } from '../../local/template/stack.ts';
import { parseTemplate } from '../../local/template/template.ts';

function stackOf(template: unknown, parameters: Record<string, string> = {}): ReturnType<typeof createStack> {
  return createStack({
    template: parseTemplate(JSON.stringify(template), 'test'),
    stackName: 'drayage-local',
    region: 'eu-central-1',
    queueEndpoint: 'http://127.0.0.1:4566',
    parameters,
  });
}

const outputs = (
  values: Record<string, unknown>,
  more: Record<string, unknown> = {},
  parameters: Record<string, string> = {},
): Record<string, string> =>
  stackOf(
    {
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'work' } },
        Table: { Type: 'AWS::DynamoDB::Table', Properties: {} },
        ...(typeof more['Resources'] === 'object' ? more['Resources'] : {}),
      },
      ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'Resources')),
      Outputs: Object.fromEntries(Object.entries(values).map(([name, Value]) => [name, { Value }])),
    },
    parameters,
  ).outputs();

describe('intrinsic functions', () => {
  test('resolve references and attributes to the names of this machine', () => {
    expect(
      outputs({
        url: { Ref: 'Queue' },
        arn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        short: { 'Fn::GetAtt': 'Queue.QueueName' },
        region: { Ref: 'AWS::Region' },
      }),
    ).toEqual({
      url: 'http://127.0.0.1:4566/000000000000/work',
      arn: 'arn:aws:sqs:eu-central-1:000000000000:work',
      short: 'work',
      region: 'eu-central-1',
    });
  });

  test('substitute, join, split and select', () => {
    expect(
      outputs({
        sub: { 'Fn::Sub': '${AWS::StackName}:${Queue.Arn}:${!Literal}' },
        named: { 'Fn::Sub': ['${a}-${b}', { a: 'x', b: { Ref: 'AWS::AccountId' } }] },
        joined: { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] },
        chosen: { 'Fn::Select': ['1', { 'Fn::Split': [',', 'a,b,c'] }] },
      }),
    ).toEqual({
      sub: 'drayage-local:arn:aws:sqs:eu-central-1:000000000000:work:${Literal}',
      named: 'x-000000000000',
      joined: 'a-eu-central-1',
      chosen: 'b',
    });
  });

  test('follow conditions, parameters and mappings', () => {
    const template = {
      Parameters: { Size: { Type: 'String', Default: 'small' } },
      Mappings: { Sizes: { small: { memory: '128' }, large: { memory: '1024' } } },
      Conditions: {
        Large: { 'Fn::Equals': [{ Ref: 'Size' }, 'large'] },
        Small: { 'Fn::Not': [{ Condition: 'Large' }] },
      },
    };
    const values = {
      branch: { 'Fn::If': ['Large', 'big', 'little'] },
      memory: { 'Fn::FindInMap': ['Sizes', { Ref: 'Size' }, 'memory'] },
    };
    expect(outputs(values, template)).toEqual({ branch: 'little', memory: '128' });
    expect(outputs(values, template, { Size: 'large' })).toEqual({ branch: 'big', memory: '1024' });
  });

  test('leave out a property whose value is AWS::NoValue, and a resource whose condition fails', () => {
    const stack = stackOf({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: {
        Kept: { Type: 'T', Properties: { a: 1, b: { 'Fn::If': ['Never', 2, { Ref: 'AWS::NoValue' }] } } },
        Gone: { Type: 'T', Condition: 'Never', Properties: {} },
      },
    });
    expect(stack.ofType('T')).toEqual([{ logicalId: 'Kept', type: 'T', properties: { a: 1 } }]);
  });

  test('give the same generated name on each start, and another to each resource', () => {
    const one = outputs({ name: { Ref: 'Table' } });
    expect(outputs({ name: { Ref: 'Table' } })).toEqual(one);
    expect(one['name']).toMatch(/^drayage-local-Table-[0-9a-f]{8}$/);
  });

  test('take an attribute that became known after creation', () => {
    const stack = stackOf({
      Resources: { Table: { Type: 'AWS::DynamoDB::Table', Properties: {} } },
      Outputs: { Stream: { Value: { 'Fn::GetAtt': ['Table', 'StreamArn'] } } },
    });
    stack.learn('Table', 'StreamArn', 'arn:of:the:stream');
    expect(stack.outputs()).toEqual({ Stream: 'arn:of:the:stream' });
  });

  test.each([
    ['an unknown reference', { Ref: 'Nobody' }, 'Nobody'],
    ['a function that is not supported', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue'],
    ['a parameter without a value', { Ref: 'Empty' }, 'Empty'],
  ])('refuse %s by name', (_what, value, named) => {
    expect(() => outputs({ value }, { Parameters: { Empty: { Type: 'String' } } })).toThrow(named);
  });
});

test('a template that is none is refused with its origin', () => {
  expect(() => parseTemplate('[]', 'some/file.json')).toThrow('some/file.json');
  expect(() => parseTemplate('{', 'some/file.json')).toThrow('not JSON');
});
