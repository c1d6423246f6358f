import type { Refusal } from '../../domain/event.ts';
import { fieldName } from './refusal.ts';

/** The most that an SNS message carries. */
const longestText = 262_144;
const deepest = 24;

export type Read =
  | { readonly kind: 'value'; readonly value: unknown }
  /** With the value as far as there is one: nothing in it may be trusted. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly value?: unknown };

/**
 * JSON from outside as a plain value: nothing that could touch a prototype, no control characters (they forge
 * log lines and terminals), no broken Unicode, no abyss of brackets. Certificates have line ends, so text
 * below `data.options` may have them too, and so may what people and CloudWatch write about an alarm.
 */
export function readUntrusted(text: string): Read {
  if (Buffer.byteLength(text) > longestText) {
    return refuse(
      '',
      'text-too-long',
      `is longer than ${String(longestText)} bytes`,
      'Put a long selection into object storage and send data.selectionRef.',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('', 'not-json', 'is not JSON', 'Send one CloudEvents 1.0 event in its JSON form.');
  }
  const refusal = faultIn(value, []);
  return refusal === undefined ? { kind: 'value', value } : { kind: 'refused', refusal, value };
}

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
/** C0 and C1 controls, ends of lines, and the marks that turn the direction of what is displayed. */
const unprintable = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const unprintableButLineEnds = /(?![\t\n\r])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

/** Can a text stand in a row, in a log and before a person? */
export const isPrintable = (text: string): boolean => !unprintable.test(text) && text.isWellFormed();

function faultIn(value: unknown, path: readonly PropertyKey[]): Refusal | undefined {
  if (typeof value === 'string') return faultInText(value, path);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return fault(path, 'number-too-large', 'is a number that no program can hold', 'Send a smaller number.');
  }
  if (value === null || typeof value !== 'object') return undefined;
  if (path.length >= deepest) {
    return fault(
      path,
      'too-deep',
      `is nested more than ${String(deepest)} levels deep`,
      'Send a flatter body.',
    );
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  for (const [key, item] of entries) {
    const place = Array.isArray(value) ? [...path, Number(key)] : [...path, key];
    const found = (Array.isArray(value) ? undefined : faultInKey(key, path)) ?? faultIn(item, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function faultInKey(key: string, path: readonly PropertyKey[]): Refusal | undefined {
  if (forbiddenKeys.has(key)) {
    return fault(
      [...path, key],
      'key-forbidden',
      'has a name that programs give a meaning of their own',
      'Remove or rename it.',
    );
  }
  return key.length > 200 || unprintable.test(key) || !key.isWellFormed()
    ? fault(
        path,
        'key-unprintable',
        'holds a field whose name is too long, has control characters or is not well-formed Unicode',
        'Rename that field.',
      )
    : undefined;
}

function faultInText(text: string, path: readonly PropertyKey[]): Refusal | undefined {
  const mayHaveLines =
    (path[0] === 'data' && path[1] === 'options') ||
    (path.length === 1 && (path[0] === 'AlarmDescription' || path[0] === 'NewStateReason'));
  if ((mayHaveLines ? unprintableButLineEnds : unprintable).test(text)) {
    return fault(path, 'text-unprintable', 'has control characters', 'Write it without them.');
  }
  return text.isWellFormed()
    ? undefined
    : fault(path, 'text-malformed', 'is not well-formed Unicode', 'Encode it as UTF-8.');
}

function fault(path: readonly PropertyKey[], code: string, what: string, cure: string): Refusal {
  const field = fieldName(path);
  return {
    code,
    ...(field === '' ? {} : { field }),
    sentence: `${field === '' ? 'The event' : `The field ${field}`} ${what}.`,
    cure,
  };
}

function refuse(field: string, code: string, what: string, cure: string): Read {
  return { kind: 'refused', refusal: fault(field === '' ? [] : [field], code, what, cure) };
}
