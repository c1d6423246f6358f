import { escaped } from './answer.ts';
import { hourPattern, setFollowing, setPresentHour } from './hours.ts';

/**
 * What stands at the head of a request template: each parameter is taken where it belongs, and used only if all of it
 * is of the form that it must have. Whatever comes from outside is hostile: nothing of it reaches a request to the
 * table that is not on these lists.
 */

/** As Java and JavaScript read it alike, against the whole of the text. In single quotes nothing is put in for it. */
const wholly = (reference: string, pattern: string): string => `${reference}.matches('${pattern}')`;

/** A pattern of a contract, as `matches` wants it: it looks at the whole text by itself. */
export const patternOf = ({ source }: RegExp): string => source.replace(/^\^/, '').replace(/\$$/, '');

/** The name or id in the path as `$id`; one that nothing can have instead of one that is none. */
export const pathId = (pattern: RegExp): string => `\
#set($id = $input.params().path.get("id"))
#if(!${wholly('$id', patternOf(pattern))})#set($id = "-")#end
`;

/** The row under a key; keys may refer to `$id`. */
export interface Lookup {
  /** In the path. */
  readonly id?: RegExp;
  readonly pk: string;
  readonly sk: string;
}

/** Rows of one hash key of an index, a page at a time. */
export interface Listing {
  /** The table itself, if absent. */
  readonly index?: string;
  readonly hash: { readonly attribute: string; readonly value: string };
  /** Newest first. */
  readonly backward?: true;
  /** In the path. */
  readonly id?: RegExp;
  /** A parameter of the query, as a reference of its own name; empty when it is not given. */
  readonly query?: { readonly name: string; readonly pattern: string; readonly set?: string };
  /** Rows whose range key begins so. */
  readonly beginsWith?: {
    readonly attribute: string;
    readonly value: string;
    /** Only when this parameter is given. */
    readonly when?: string;
  };
  readonly cursor: Cursor;
  /** The hash key is the hour `$hour`, and behind its last page comes the next hour, up to the present one. */
  readonly isByHour?: true;
}

/**
 * Where a page goes on: the parts of the last key that are not known anyway, as one text. Handed out in base64url, so
 * that nobody thinks that it means something; read back against its pattern, because anybody may have written it.
 */
export interface Cursor {
  /** Of the whole text. */
  readonly pattern: string;
  /** The text may have characters that stand in JSON for something else: it is escaped before it is used. */
  readonly isFree?: true;
  /** So many characters are `$first`, and what stands behind the next one is `$second`. */
  readonly split?: number;
  /** The key, of `$id`, `$after`, `$first` and `$second`. */
  readonly key: Readonly<Record<string, { readonly S: string } | { readonly N: string }>>;
  /** The text, of the attributes of `$last`. */
  readonly text: string;
}

const invalid = '#set($valid = false)';

const limit = `\
#set($limit = $input.params().querystring.get("limit"))
#if("$!limit" == "")#set($limit = "100")#end
#if(!${wholly('$limit', '(?:[1-9][0-9]?|[1-4][0-9][0-9]|500)')})${invalid}#set($limit = "1")#end
`;

/** What is no base64url is never given to the decoder. */
const after = ({
  cursor: { pattern, split, isFree },
  isByHour,
}: Pick<Listing, 'cursor' | 'isByHour'>): string => `\
#set($page = $input.params().querystring.get("page"))
#set($after = "")
#if("$!page" != "")
#if(${wholly('$page', '[A-Za-z0-9_-]{2,500}')} && $page.length() % 4 != 1)
#set($text = $page.replaceAll("-","+").replaceAll("_","/"))
#if($page.length() % 4 == 2)#set($text = "$text==")#end
#if($page.length() % 4 == 3)#set($text = "$text=")#end
#set($after = $util.base64Decode($text))
#end
#if(!${wholly('$after', isByHour === true ? `${hourPattern}(?:${pattern})?` : pattern)})${invalid}#set($after = "")#end
${isByHour === true ? '#if($after != "")#set($hour = $after.substring(0,13))#set($after = $after.substring(13))#end\n' : ''}${isFree === true ? `#set($after = ${escaped('$after')})\n` : ''}#end
${
  split === undefined
    ? ''
    : `#if($after != "")
#set($first = $after.substring(0, ${String(split)}))
#set($second = $after.substring(${String(split + 1)}))
#end
`
}`;

const queryOf = ({ name, pattern, set }: NonNullable<Listing['query']>): string => `\
#set($${name} = $input.params().querystring.get("${name}"))
#if("$!${name}" == "")#set($${name} = "")#end
#if($${name} != "" && !${wholly(`$${name}`, pattern)})${invalid}#set($${name} = "")#end
${set === undefined ? '' : `${set}\n`}`;

/** The request for one row. */
export const lookupOf = ({ id, pk, sk }: Lookup): string => `\
${id === undefined ? '' : pathId(id)}{
  "TableName": "$stageVariables.table",
  "ConsistentRead": true,
  "Key": { "pk": { "S": "${pk}" }, "sk": { "S": "${sk}" } }
}
`;

/**
 * What stands in an answer by the hour: `$hour` is the one that was asked about, and `$following` the one with which to
 * go on when it has no more; nothing when it has not passed yet.
 */
export const hourAndFollowing = ({ query, ...listing }: Listing): string => `\
#set($valid = true)
${query === undefined ? '' : queryOf(query)}${after(listing)}#set($following = "")
#if(${wholly('$hour', hourPattern)})
${setFollowing}${setPresentHour}#if($hour.compareTo($presentHour) >= 0)#set($following = "")#end
#end
`;

/**
 * The request for a page. There is no way out of a template but to ask: when something is wrong, what is asked has no
 * meaning, and the table refuses it.
 */
export function listingOf(listing: Listing): string {
  const { index, hash, backward, id, query, beginsWith, cursor } = listing;
  const range = beginsWith === undefined ? '' : ' AND begins_with($range, :range)';
  const when = (text: string): string =>
    beginsWith?.when === undefined ? text : `#if($${beginsWith.when} != "")${text}#end`;
  return `\
#set($valid = true)
#set($hash = '#hash')
#set($range = '#range')
${id === undefined ? '' : pathId(id)}${query === undefined ? '' : queryOf(query)}${limit}${after(listing)}{
  "TableName": "$stageVariables.table",${index === undefined ? '' : `\n  "IndexName": "${index}",`}
  "KeyConditionExpression": "#if($valid)$hash = :hash${when(range)}#{else}refused#end",
  "ExpressionAttributeNames": { "$hash": "${hash.attribute}"${
    beginsWith === undefined ? '' : when(`, "$range": "${beginsWith.attribute}"`)
  } },
  "ExpressionAttributeValues": { ":hash": { "S": "${hash.value}" }${
    beginsWith === undefined ? '' : when(`, ":range": { "S": "${beginsWith.value}" }`)
  } },
  ${backward === true ? '"ScanIndexForward": false,\n  ' : ''}#if($after != "")"ExclusiveStartKey": ${JSON.stringify(cursor.key)},#end
  "Limit": $limit
}
`;
}
