import type * as z from 'zod';
import { problems, type ProblemCode } from '../../../shared/contracts/api/problems.ts';
import { answerOf } from './answer.ts';
import type { Cursor } from './parameters.ts';

/** A problem as the API answers it. */
export function problemText(code: ProblemCode): string {
  const { status, sentence, cure } = problems[code];
  return JSON.stringify({ type: `urn:drayage:problem:${code}`, title: sentence, status, code, cure });
}

/** Answers a problem in place of what the route else answers. */
const answerProblem = (code: ProblemCode): string => `\
#set($context.responseOverride.status = ${String(problems[code].status)})
#set($context.responseOverride.header.Content-Type = "application/problem+json")
${problemText(code)}
`;

/** One row, or that there is none. */
export const lookupAnswer = (schema: z.ZodType, unknown: ProblemCode): string => `\
#set($item = $input.path('$.Item'))
#if("$!item.pk.S" != "")
${answerOf(schema, '$item')}
#else
${answerProblem(unknown)}#end
`;

/** A page of rows. */
export const listingAnswer = (name: string, schema: z.ZodType, { text }: Cursor): string => `\
#set($last = $input.path('$.LastEvaluatedKey'))
{"${name}":[
#foreach($item in $input.path('$.Items'))
${answerOf(schema, '$item')}#if($foreach.hasNext),#end
#end
]
#if("$!last.pk.S" != "")
#set($next = "${text}")
,"next":"$util.base64Encode($next).replaceAll("[+]","-").replaceAll("/","_").replaceAll("=","")"
#end
}
`;

/**
 * What DynamoDB says with 400. No request of ours is malformed unless a parameter made it so; what else is refused is
 * refused for now, because the table is busy, or for good, because the stack is not whole.
 */
export const refusedByTable = `\
#set($type = $input.path('$.__type'))
#set($type = "$!type")
#if($type.matches(".*ConditionalCheckFailedException"))
${answerProblem('request-id-reused')}#elseif($type.matches(".*ValidationException"))
${answerProblem('parameter-invalid')}#elseif($type.matches(".*(?:Throughput|Throttl|LimitExceeded).*"))
${answerProblem('store-busy')}#else
${answerProblem('api-failed')}#end
`;

export const failedInTable = answerProblem('store-busy');
