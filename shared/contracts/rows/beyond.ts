import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import type { Attribute, Row } from './row.ts';

type Name = string | number;

/** An attribute inside of one that we know, which only a newer release knows: where it stands, and what it says. */
interface Part {
  readonly path: readonly Name[];
  readonly value: Attribute;
}

/** What of a row is beyond this release, because a newer one has written it. It is carried, and never read. */
class Beyond {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }
}

/** Not a name: what is made of a record by spreading it has it too, and no row, answer or text shows it. */
const beyond = Symbol('beyond');

function beyondOf(record: object): Beyond | undefined {
  const held: unknown = Reflect.get(record, beyond);
  return held instanceof Beyond ? held : undefined;
}

/**
 * Which attributes are not known, if nothing else is wrong with a row: places of names that a strict object has no
 * field for. Undefined when anything else is wrong.
 */
export function unknownIn({ issues }: z.core.$ZodError): readonly (readonly Name[])[] | undefined {
  const found: Name[][] = [];
  for (const issue of issues) {
    const names = namesIn(issue);
    if (names === undefined) return undefined;
    found.push(...names);
  }
  return found;
}

function namesIn(issue: z.core.$ZodIssue): Name[][] | undefined {
  const at = issue.path.map((name) => (typeof name === 'symbol' ? name.toString() : name));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...at, key]);
  if (issue.code !== 'invalid_union') return undefined;
  // Of what may be one thing or another: that which it would be.
  for (const issues of issue.errors) {
    const names = issues.map(namesIn);
    if (names.every((each) => each !== undefined)) return names.flat().map((path) => [...at, ...path]);
  }
  return undefined;
}

/** A value without what stands at these places, and what stood there. */
export function split(
  value: unknown,
  paths: readonly (readonly Name[])[],
): { readonly known: unknown; readonly parts: readonly { path: readonly Name[]; value: unknown }[] } {
  return {
    known: paths.reduce(without, value),
    parts: paths.map((path) => ({ path, value: path.reduce(inside, value) })),
  };
}

const inside = (holder: unknown, name: Name): unknown =>
  typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;

function without(value: unknown, [name, ...rest]: readonly Name[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((each: unknown, index) => (index === name ? without(each, rest) : each));
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  return Object.fromEntries(
    entries.flatMap(([key, each]) => {
      if (key !== name) return [[key, each]];
      return rest.length === 0 ? [] : [[key, without(each, rest)]];
    }),
  );
}

/**
 * Marks what was read from a row with what of it is beyond us. What stands at the row's own top is not carried: a
 * commit writes the attributes that change, and leaves all others as they are.
 *
 * @returns undefined when something of it could not be written again as it was read
 */
export function withParts<T extends object>(
  read: T,
  parts: readonly { readonly path: readonly Name[]; readonly value: unknown }[],
): T | undefined {
  const inner: Part[] = [];
  for (const { path, value } of parts) {
    if (path.length < 2) continue;
    if (!isAttribute(value)) return undefined;
    inner.push({ path, value });
  }
  return inner.length === 0 ? read : Object.assign(read, { [beyond]: new Beyond(inner) });
}

function isAttribute(value: unknown): value is Attribute {
  if (value === null) return true;
  if (value instanceof Set) return [...value].every((each) => typeof each === 'string');
  if (Array.isArray(value)) return value.every(isAttribute);
  if (value instanceof Uint8Array) return false;
  if (typeof value === 'object') return Object.values(value).every(isAttribute);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/**
 * What is written next of a record carries what its last version carried, where it stands now: as long as what it stood
 * in is still there and of the same kind and holder. What was dropped once does not come back with a later version.
 *
 * @param rows of both versions, as we know them
 */
export function carryOn<T extends object>(
  before: object,
  after: T,
  rows: () => { readonly was: Row; readonly is: Row },
): T {
  const held = beyondOf(before);
  if (held === undefined) return after;
  const { was, is } = rows();
  return Object.assign({ ...after }, { [beyond]: new Beyond(carried(held.parts, was, is)) });
}

/** A row of a record as it is to be written, with what a newer release has put into it. */
export const whole = (record: object, row: Row): Row =>
  (beyondOf(record)?.parts ?? []).reduce(
    (made, { path, value }) => ({ ...made, ...inMap(made, path, value) }),
    row,
  );

interface Attributes {
  readonly [name: string]: Attribute | undefined;
}

const isList = (value: Attribute | undefined): value is readonly Attribute[] => Array.isArray(value);
const isMap = (value: Attribute | undefined): value is Attributes =>
  typeof value === 'object' && value !== null && !(value instanceof Set) && !isList(value);

/** Those parts that what they stand in still has, each with its place there. */
const carried = (parts: readonly Part[], was: Row, is: Row): readonly Part[] =>
  parts.flatMap(({ path, value }) => {
    const now = placeIn(is, was, path);
    return now === undefined ? [] : [{ path: now, value }];
  });

function placeIn(
  is: Attribute | undefined,
  was: Attribute | undefined,
  [name, ...rest]: readonly Name[],
): readonly Name[] | undefined {
  if (name === undefined) return [];
  let key = name;
  if (isList(is) && isList(was)) key = is.findIndex((each) => isSameOne(each, was[Number(name)]));
  const [held, former] = [child(is, key), child(was, name)];
  if (rest.length > 0 && !isSameHolder(held, former)) return undefined;
  const place = placeIn(held, former, rest);
  return place === undefined ? undefined : [key, ...place];
}

function child(holder: Attribute | undefined, name: Name): Attribute | undefined {
  if (isList(holder)) return holder[Number(name)];
  return isMap(holder) ? holder[String(name)] : undefined;
}

function put(is: Attribute, path: readonly Name[], value: Attribute): Attribute {
  if (isMap(is)) return inMap(is, path, value);
  const [place, ...rest] = path;
  return isList(is) ? is.map((each, index) => (index === place ? put(each, rest, value) : each)) : is;
}

function inMap(is: Attributes, [name, ...rest]: readonly Name[], value: Attribute): Attributes {
  const key = String(name);
  const held = is[key];
  if (rest.length === 0) return held === undefined ? { ...is, [key]: value } : is;
  return held === undefined ? is : { ...is, [key]: put(held, rest, value) };
}

function isSameHolder(is: Attribute | undefined, was: Attribute | undefined): boolean {
  if (isList(is) && isList(was)) return true;
  return isMap(is) && isMap(was) && isSameState(is, was);
}

/**
 * What tells a map that is replaced as a whole from the one before it: the first of these that it has. What moves on
 * for the same holder is none of it: the end of a lease, or when a signal was last told.
 */
const holders: readonly (readonly string[])[] = [
  ['move'],
  ['owner', 'token'],
  ['code', 'since'],
  ['sequence'],
  ['fact', 'at'],
];

/** What stands in a state goes with the state, and what belongs to a holder or a fact goes with that. */
function isSameState(is: Attributes, was: Attributes): boolean {
  const holder = holders.find((names) => names.some((name) => was[name] !== undefined)) ?? [];
  return ['state', 'kind', ...holder].every((name) => is[name] === was[name]);
}

/** By these the elements of our lists are told apart. */
const identities = ['key', 'id', 'move', 'at'];

function isSameOne(is: Attribute, was: Attribute | undefined): boolean {
  if (!isMap(is) || !isMap(was)) return isDeepStrictEqual(is, was);
  const identity = identities.find((name) => was[name] !== undefined);
  return identity === undefined ? isDeepStrictEqual(is, was) : is[identity] === was[identity];
}
