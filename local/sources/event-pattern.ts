type Json = unknown;

const isRecord = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether any of the patterns accepts the event; no pattern accepts everything. */
export function passesFilters(patterns: readonly Json[], event: Json): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(pattern, event));
}

/**
 * Whether an event fits a pattern in EventBridge's language: each leaf of the pattern is a list of alternatives,
 * each a value or one of prefix, suffix, anything-but, numeric, exists, equals-ignore-case and
 * wildcard; `$or` takes a list of patterns. An operator that is not known fits nothing.
 */
export function matches(pattern: Json, event: Json): boolean {
  if (!isRecord(pattern)) return false;
  return Object.entries(pattern).every(([key, expected]) => {
    if (key === '$or' && Array.isArray(expected)) return expected.some((one) => matches(one, event));
    const value = isRecord(event) ? event[key] : undefined;
    if (Array.isArray(expected)) return expected.some((rule) => accepts(rule, value));
    return Array.isArray(value) ? value.some((item) => matches(expected, item)) : matches(expected, value);
  });
}

function accepts(rule: Json, value: Json): boolean {
  if (isRecord(rule) && 'exists' in rule) return (value !== undefined) === (rule['exists'] === true);
  if (Array.isArray(value)) return value.some((item) => accepts(rule, item));
  if (!isRecord(rule)) return value === rule;
  return Object.entries(rule).every(([operator, operand]) => operatorHolds(operator, operand, value));
}

function operatorHolds(operator: string, operand: Json, value: Json): boolean {
  switch (operator) {
    case 'prefix':
      return typeof value === 'string' && affix(operand, value, (text, part) => text.startsWith(part));
    case 'suffix':
      return typeof value === 'string' && affix(operand, value, (text, part) => text.endsWith(part));
    case 'equals-ignore-case':
      return typeof value === 'string' && String(operand).toLowerCase() === value.toLowerCase();
    case 'wildcard':
      return typeof value === 'string' && wildcard(String(operand)).test(value);
    case 'anything-but':
      return value !== undefined && !anyOf(operand, value);
    case 'numeric':
      return typeof value === 'number' && Array.isArray(operand) && inRange(operand, value);
    default:
      return false;
  }
}

function affix(operand: Json, value: string, fits: (text: string, part: string) => boolean): boolean {
  if (isRecord(operand))
    return fits(value.toLowerCase(), String(operand['equals-ignore-case']).toLowerCase());
  return fits(value, String(operand));
}

function anyOf(operand: Json, value: Json): boolean {
  if (Array.isArray(operand)) return operand.includes(value);
  if (isRecord(operand)) return accepts(operand, value);
  return operand === value;
}

function inRange(bounds: readonly Json[], value: number): boolean {
  for (let index = 0; index + 1 < bounds.length; index += 2) {
    const limit = Number(bounds[index + 1]);
    const holds =
      bounds[index] === '='
        ? value === limit
        : bounds[index] === '<'
          ? value < limit
          : bounds[index] === '<='
            ? value <= limit
            : bounds[index] === '>'
              ? value > limit
              : bounds[index] === '>=' && value >= limit;
    if (!holds) return false;
  }
  return true;
}

function wildcard(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
