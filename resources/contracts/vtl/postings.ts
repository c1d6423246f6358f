import { quoted } from './answer.ts';
import { pathId, patternOf } from './parameters.ts';

/** A request that is put down as a row, once, and published by the table's stream. */
export interface Posting {
  /** In the path. */
  readonly id?: RegExp;
  /** The type of the event, or by verb (`{verb}` in the path) the types. */
  readonly type: string | Readonly<Record<string, string>>;
  /** Where it was posted to, of `$id` and `$verb`: with the body it says what is asked for. */
  readonly to: string;
}

/** A quarter of what SNS carries stays free for the envelope and for characters of several bytes. */
export const longestBody = 200_000;

const invalid = '#set($valid = false)';

/** By a way that does not care how a client writes the names of headers. */
const requestKey = (pattern: RegExp): string => `\
#set($key = "")
#set($headers = $input.params().header)
#foreach($name in $headers.keySet())
#if($name.toLowerCase() == "idempotency-key")#set($key = $headers.get($name))#end
#end
#if(!$key.matches('${patternOf(pattern)}'))${invalid}#set($key = "-")#end
`;

function typeOf(type: Posting['type']): string {
  if (typeof type === 'string') return `#set($type = "${type}")\n`;
  const entries = Object.entries(type).map(([verb, of]) => `"${verb}": "${of}"`);
  return `\
#set($types = {${entries.join(', ')}})
#set($verb = $input.params().path.get("verb"))
#set($type = $types.get($verb))
#if("$!type" == "")${invalid}#set($verb = "-")#set($type = "-")#end
`;
}

/** Attributes that the row has from the beginning, each with its value in a wrapper. */
const attributes: Readonly<Record<string, string>> = {
  kind: '{ "S": "request" }',
  source: '{ "S": "$source" }',
  id: '{ "S": "$key" }',
  type: '{ "S": "$type" }',
  outcome: '{ "M": { "kind": { "S": "pending" } } }',
  receivedAt: '{ "N": "$context.requestTimeEpoch" }',
  version: '{ "N": "1" }',
  posted: `{ "S": ${quoted('$input.body')} }`,
  postedTo: '{ "S": "$to" }',
  // Until it has been taken: then whoever takes it takes these away. A repeat puts the second back, and the sweep
  // finds that there is nothing to do.
  shard: '{ "S": "00" }',
  dueAt: '{ "N": "$context.requestTimeEpoch" }',
};

/**
 * The request that puts a row down, or changes nothing because it is there already: a repeat with the same body is
 * the same request. With another body it is refused by the condition.
 */
export function postingOf({ id, type, to }: Posting, source: string, key: RegExp): string {
  const names = Object.keys(attributes);
  const update = `SET ${names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`).join(', ')}`;
  return `\
#set($valid = true)
${id === undefined ? '' : `${pathId(id)}#if($id == "-")${invalid}#end\n`}${typeOf(type)}${requestKey(key)}\
#if($input.body.length() > ${String(longestBody)})${invalid}#end
#set($source = "${source}")
#set($to = "${to}")
#set($update = '${update}')
#set($condition = 'attribute_not_exists(pk) OR (#posted = :posted AND #postedTo = :postedTo)')
${names.map((name) => `#set($${name}Name = '#${name}')`).join('\n')}
{
  "TableName": "$stageVariables.table",
  "Key": { "pk": { "S": "REQUEST#$source" }, "sk": { "S": "REQUEST#$key" } },
  "ConditionExpression": "#if($valid)$condition#{else}refused#end",
  "UpdateExpression": "$update",
  "ExpressionAttributeNames": { ${names.map((name) => `"$${name}Name": "${name}"`).join(', ')} },
  "ExpressionAttributeValues": {
    ${names.map((name) => `":${name}": ${attributes[name] ?? ''}`).join(',\n    ')}
  },
  "ReturnValues": "ALL_NEW"
}
`;
}

/** Where to see what becomes of it. */
export const postingAnswer = `\
#set($id = $input.path('$.Attributes.id.S'))
#set($kind = $input.path('$.Attributes.outcome.M.kind.S'))
#set($context.responseOverride.header.Location = "/$context.stage/requests/$id")
{"request":${quoted('$id')},"state":"#if($kind == "pending")waiting#else$kind#end","href":"/$context.stage/requests/$id"}
`;
