import * as z from 'zod';
import { sources, type Source } from '../../../shared/contracts/api/source.ts';

/**
 * The template that writes an answer from a row as DynamoDB gives it: every attribute in a wrapper that names its
 * type (`{"S": …}`). All is unrolled, for API Gateway promises neither macros nor recursion; only what the schema
 * names is written, and every text is escaped.
 *
 * @param holder a reference to a map of attributes, e.g. `$item`
 */
export function answerOf(schema: z.ZodType, holder: string): string {
  return objectOf(plain(schema), holder, 1);
}

/** What stands between the quotes of a text in JSON. Java's escape for scripts writes `\\'`, which JSON does not know. */
export const escaped = (reference: string): string =>
  `$util.escapeJavaScript(${reference}).replaceAll("\\\\'","'")`;

/** A text as JSON. */
export const quoted = (reference: string): string => `"${escaped(reference)}"`;

interface Field {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly source: Source;
  readonly isOptional: boolean;
}

function objectOf(schema: z.ZodType, holder: string, depth: number): string {
  if (!(schema instanceof z.ZodObject)) throw new TypeError('an answer is an object');
  const fields = Object.entries(z.record(z.string(), z.custom<z.ZodType>()).parse(schema.shape)).map(
    ([name, of]): Field => ({
      name,
      schema: plain(of),
      source: sourceOf(of),
      isOptional: of instanceof z.ZodOptional,
    }),
  );
  const needed = fields.filter(({ isOptional }) => !isOptional);
  const others = fields.filter(({ isOptional }) => isOptional);
  const written = ({ name, source, ...field }: Field): string =>
    `"${name}":${valueOf(field.schema, source, reach(holder, source.attribute ?? name), depth)}`;
  const present = ({ name, schema: of, source }: Field): string =>
    presenceOf(of, source, reach(holder, source.attribute ?? name));
  if (needed.length > 0) {
    const rest = others.map((field) => `\n#if(${present(field)}),${written(field)}#end`);
    return `{${needed.map(written).join(',\n')}${rest.join('')}}`;
  }
  // Nobody knows which will be the first.
  const comma = `$comma${String(depth)}`;
  const rest = others.map(
    (field) => `\n#if(${present(field)})${comma}${written(field)}#set(${comma} = ",")#end`,
  );
  return `{#set(${comma} = "")${rest.join('')}}`;
}

/** The wrapped value of an attribute, through the maps that its path names. */
function reach(holder: string, path: string): string {
  return path === '' ? holder : `${holder}.${path.split('.').join('.M.')}`;
}

function valueOf(schema: z.ZodType, source: Source, at: string, depth: number): string {
  const { otherwise, ...own } = source;
  if (otherwise !== undefined)
    return `#if(${presenceOf(schema, own, at)})${valueOf(schema, own, at, depth)}#{else}${otherwise}#end`;
  if (source.form === 'json') return `${at}.S`;
  if (source.form === 'set') return listOf(`${at}.SS`, depth, quoted);
  if (schema instanceof z.ZodObject) {
    if (source.attribute === '') return objectOf(schema, at, depth + 1);
    const whole = objectOf(schema, `${at}.M`, depth + 1);
    if (source.number === undefined) return whole;
    const parts = Object.entries(source.number).map(
      ([name, value]) => `"${name}":${value.replace('$number', `${at}.N`)}`,
    );
    return `#if(${at}.M)${whole}#else{${parts.join(',')}}#end`;
  }
  if (schema instanceof z.ZodRecord) {
    const entry = `$entry${String(depth)}`;
    const inner = plain(z.custom<z.ZodType>().parse(schema.valueType));
    const value = valueOf(inner, sourceOf(inner), `${entry}.value`, depth + 1);
    return `{#foreach(${entry} in ${at}.M.entrySet())${quoted(`${entry}.key`)}:${value}#if($foreach.hasNext),#end#end}`;
  }
  if (schema instanceof z.ZodArray) {
    const inner = plain(z.custom<z.ZodType>().parse(schema.element));
    return listOf(`${at}.L`, depth, (item) => valueOf(inner, sourceOf(inner), item, depth + 1));
  }
  if (schema instanceof z.ZodNumber) return `${at}.N`;
  if (schema instanceof z.ZodBoolean) return `${at}.BOOL`;
  return textOf(source, `${at}.S`);
}

function listOf(list: string, depth: number, write: (item: string) => string): string {
  const item = `$each${String(depth)}`;
  return `[#foreach(${item} in ${list})${write(item)}#if($foreach.hasNext),#end#end]`;
}

function textOf({ after, side, words }: Source, text: string): string {
  if (words !== undefined) {
    const [[word, other] = ['', '']] = Object.entries(words);
    return `#if(${text} == "${word}")"${other}"#else${quoted(text)}#end`;
  }
  if (after !== undefined) return quoted(`${text}.substring(${String(after)})`);
  if (side === 'before') return quoted(`${text}.replaceAll('[#].*','')`);
  if (side === 'after') return quoted(`${text}.replaceAll('^[^#]*[#]','')`);
  return quoted(text);
}

/** Holds when the attribute is there. A missing one may be nothing, or an empty text: nobody says which. */
function presenceOf(schema: z.ZodType, source: Source, at: string): string {
  if (source.form === 'set') return `${at}.SS`;
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return `${at}.M`;
  if (schema instanceof z.ZodArray) return `${at}.L`;
  const wrapper = schema instanceof z.ZodNumber ? 'N' : schema instanceof z.ZodBoolean ? 'BOOL' : 'S';
  return `"$!${at.slice(1)}.${wrapper}" != ""`;
}

/** Without what only says that it may be missing. */
function plain(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? z.custom<z.ZodType>().parse(schema.unwrap()) : schema;
}

const sourceOf = (schema: z.ZodType): Source => ({
  ...sources.get(plain(schema)),
  ...sources.get(schema),
});
