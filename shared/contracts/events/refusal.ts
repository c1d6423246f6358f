import type * as z from 'zod';
import type { Refusal } from '../../domain/event.ts';

/** Names a place in a body as people write it: `data.endpoints[3]`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((whole, key) => {
    if (typeof key === 'number') return `${whole}[${String(key)}]`;
    // By characters: half of one would be no text that a row can hold.
    const part = Array.from(String(key)).slice(0, 60).join('');
    return whole === '' ? part : `${whole}.${part}`;
  }, '');
}

/**
 * The first thing that is wrong with a value, said to the person who sent it. Nothing of the value itself is
 * repeated: it may hold a secret in the wrong place.
 */
export function refusalOf(
  error: z.core.$ZodError,
  value: unknown,
  under: readonly PropertyKey[] = [],
): Refusal {
  const issue = error.issues[0];
  if (issue === undefined) throw new RangeError('an error without an issue');
  return refusalOfIssue(issue, under, isAbsent(value, issue.path));
}

function isAbsent(value: unknown, path: readonly PropertyKey[]): boolean {
  const found = path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? Object.getOwnPropertyDescriptor(at, key)?.value : undefined,
    value,
  );
  return found === undefined;
}

function refusalOfIssue(issue: z.core.$ZodIssue, under: readonly PropertyKey[], isMissing: boolean): Refusal {
  const path = [...under, ...issue.path];
  const field = fieldName(path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = fieldName([...path, issue.keys[0] ?? '']);
    return {
      code: 'field-unknown',
      field: unknown,
      sentence: `The field ${unknown} is not known here.`,
      cure: 'Remove it, or correct its spelling.',
    };
  }
  if (isMissing && issue.code !== 'custom') {
    return {
      code: 'field-missing',
      field,
      sentence: `The field ${field} is missing.`,
      cure: `Add ${field}: ${rule(issue)}.`,
    };
  }
  if (issue.code === 'custom' && typeof issue.params?.['code'] === 'string') {
    return {
      code: issue.params['code'],
      field,
      sentence: issue.message,
      cure: String(issue.params['cure']),
    };
  }
  if (field === '') {
    return {
      code: 'field-invalid',
      sentence: `The event must be ${rule(issue)}.`,
      cure: 'Send one CloudEvents 1.0 event in its JSON form.',
    };
  }
  return {
    code: 'field-invalid',
    field,
    sentence: `The field ${field} must be ${rule(issue)}.`,
    cure: `Correct ${field} and publish the event under a new id.`,
  };
}

/** What the field must be. Our own rules say it themselves; zod's say what they expected. */
function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input') ? named(issue.expected) : issue.message;
    case 'invalid_value':
      return issue.message.startsWith('Invalid')
        ? `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
        : issue.message;
    case 'too_big':
      return issue.message.startsWith('Too') ? `no longer than ${String(issue.maximum)}` : issue.message;
    case 'too_small':
      return issue.message.startsWith('Too') ? `no shorter than ${String(issue.minimum)}` : issue.message;
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0] === undefined ? issue.message : rule(issue.issues[0]);
    case 'invalid_union':
      return issue.message.startsWith('Invalid') ? 'what the type of the event asks for' : issue.message;
    default:
      return issue.message;
  }
}

const named = (type: string): string => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);
