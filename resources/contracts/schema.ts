import * as z from 'zod';
import type { Json, JsonObject } from '../../shared/domain/json.ts';

export type Schema = JsonObject;

const anyObject = z.custom<JsonObject>((it) => typeof it === 'object' && it !== null && !Array.isArray(it));

/** Which dialect a schema is written in. */
export type Dialect = 'openapi-3.0' | 'draft-2020-12';

/**
 * A contract as a JSON Schema of what is sent. What API Gateway cannot import is left out: it is checked by whoever
 * takes the event.
 */
export function schemaOf(contract: z.ZodType, dialect: Dialect): Schema {
  const schema = z.toJSONSchema(contract, {
    target: dialect,
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  });
  const whole = anyObject.parse(JSON.parse(JSON.stringify(schema)));
  const { $schema: _, $defs: __, definitions: ___, ...rest } = anyObject.parse(withoutReferences(whole));
  return dialect === 'openapi-3.0' ? anyObject.parse(forApiGateway(rest)) : rest;
}

/** Only any JSON refers to itself; what stands within another document can refer to nothing of its own. */
function withoutReferences(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutReferences);
  const object = anyObject.safeParse(value);
  if (!object.success) return value;
  if (object.data['$ref'] !== undefined) return {};
  return Object.fromEntries(
    Object.entries(object.data).map(([name, inner]): [string, Json] => [name, withoutReferences(inner)]),
  );
}

const unknownToApiGateway = new Set(['propertyNames', '$schema', 'id', 'default', 'examples']);

function forApiGateway(value: Json): Json {
  if (Array.isArray(value)) return value.map(forApiGateway);
  const object = anyObject.safeParse(value);
  if (!object.success) return value;
  const { pattern, ...rest } = object.data;
  // What the pattern of a time says is in its format.
  const kept = pattern === undefined || rest['format'] === 'date-time' ? rest : object.data;
  return Object.fromEntries(
    Object.entries(kept).flatMap(([name, inner]): [string, Json][] =>
      unknownToApiGateway.has(name) ? [] : [[name, forApiGateway(inner)]],
    ),
  );
}
