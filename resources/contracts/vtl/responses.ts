import type * as z from 'zod';
import { problems, type ProblemCode } from '../../../shared/contracts/api/problems.ts';
import { answerOf } from './answer.ts';
import { hourAndFollowing, type Listing } from './parameters.ts';

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

/** One row, or that there is none. @param unknown absent: what there is not is answered as its schema has it */
export function lookupAnswer(schema: z.ZodType, unknown: ProblemCode | undefined): string {
  const read = "#set($item = $input.path('$.Item'))\n";
  const answer = `${answerOf(schema, '$item')}\n`;
  if (unknown === undefined) return `${read}${answer}`;
  return `${read}#if("$!item.pk.S" != "")\n${answer}#else\n${answerProblem(unknown)}#end\n`;
}

/** A page of rows. */
export function listingAnswer(name: string, schema: z.ZodType, rows: Listing): string {
  const byHour = rows.isByHour === true;
  return `\
${byHour ? hourAndFollowing(rows) : ''}#set($last = $input.path('$.LastEvaluatedKey'))
{"${name}":[
#foreach($item in $input.path('$.Items'))
${answerOf(schema, '$item')}#if($foreach.hasNext),#end
#end
]
#set($next = "${byHour ? '$following' : ''}")
#if("$!last.pk.S" != "")#set($next = "${byHour ? '$hour' : ''}${rows.cursor.text}")#end
#if($next != "")
,"next":"$util.base64Encode($next).replaceAll("[+]","-").replaceAll("/","_").replaceAll("=","")"
#end
}
`;
}

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
