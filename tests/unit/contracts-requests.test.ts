import { describe, expect, test } from '@jest/globals';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import { policyDefaults } from '../../shared/contracts/events/policy.ts';

const receivedAt = 1_790_000_000_000;

interface Parts {
  readonly [attribute: string]: unknown;
}

const event = (data: unknown, parts: Parts = {}): string =>
  JSON.stringify({
    specversion: '1.0',
    id: 'r-1',
    source: '/ops',
    type: 'batch-move.requested',
    data,
    ...parts,
  });

const accepted = (text: string) => {
  const parsed = parseRequest(text, receivedAt);
  if (parsed.kind === 'refused') throw new Error(`refused: ${JSON.stringify(parsed.refusal)}`);
  return parsed;
};
const refused = (text: string) => {
  const parsed = parseRequest(text, receivedAt);
  if (parsed.kind === 'event') throw new Error(`accepted: ${JSON.stringify(parsed.event)}`);
  return parsed.refusal;
};

describe('a batch-move.requested event', () => {
  test('selects endpoints by name, each once, with every policy at its default', () => {
    const { event: read, head } = accepted(
      event({ reason: 'spread load', endpoints: ['a', 'b', 'a'], target: 'h2' }),
    );
    expect(read).toEqual({
      kind: 'move-batch',
      reason: 'spread load',
      policy: policyDefaults,
      selection: { kind: 'value', selection: { kind: 'endpoints', endpoints: ['a', 'b'], target: 'h2' } },
    });
    expect(head).toMatchObject({ source: '/ops', id: 'r-1', type: 'batch-move.requested' });
  });

  test('selects pairs of an endpoint and its own target', () => {
    const pairs = [{ endpoint: 'a', target: 'h2' }, { endpoint: 'b' }];
    expect(accepted(event({ reason: 'x', pairs })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'pairs', pairs } },
    });
  });

  test('selects by what endpoints are, or leaves it to the planner', () => {
    const where = { labels: { tier: 'gold' }, tenant: 'acme', size: { atLeast: 1, atMost: 9 }, host: 'h1' };
    expect(accepted(event({ reason: 'x', where, target: 'h2' })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'where', where, target: 'h2' } },
    });
    expect(accepted(event({ reason: 'x', rebalance: true })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'rebalance' } },
    });
    expect(accepted(event({ reason: 'x', relieve: { host: 'h1', under: 0.7 } })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'relieve', host: 'h1', under: 0.7 } },
    });
  });

  test('selects by host, by labels or by reference', () => {
    const check = { key: `claims/${'0'.repeat(64)}`, sha256: '0'.repeat(64), bytes: 10 };
    expect(accepted(event({ reason: 'x', host: 'h1' })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'host', host: 'h1' } },
    });
    expect(accepted(event({ reason: 'x', labels: { tier: 'gold' } })).event).toMatchObject({
      selection: { kind: 'value', selection: { kind: 'labels', labels: { tier: 'gold' } } },
    });
    expect(accepted(event({ reason: 'x', selectionRef: check })).event).toMatchObject({
      selection: { kind: 'reference', check },
    });
  });

  test.each([
    ['PT24H', 86_400_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['PT0.5S', 500],
    [0, 0],
    [90_000, 90_000],
  ])('takes the retention %p as %d milliseconds', (retention, retentionMs) => {
    const read = accepted(event({ reason: 'x', host: 'h1', policy: { retention } }));
    expect(read.event).toMatchObject({ policy: { ...policyDefaults, retentionMs } });
  });

  test.each(['P1M', 'P1Y', 'PT', 'P', '24h', 'PT-1H', 'P1DT', -1, 1.5, 'P91D'])(
    'refuses the retention %p, naming the field',
    (retention) => {
      const refusal = refused(event({ reason: 'x', host: 'h1', policy: { retention } }));
      expect(refusal).toMatchObject({ code: 'field-invalid', field: 'data.policy.retention' });
      expect(refusal.sentence).toContain('ISO 8601');
    },
  );

  test.each([
    [{ endpoints: ['a'] }, 'field-missing', 'data.reason'],
    [{ reason: ' ', endpoints: ['a'] }, 'field-invalid', 'data.reason'],
    [{ reason: 'x' }, 'selection-missing', 'data.endpoints'],
    [{ reason: 'x', endpoints: [] }, 'field-invalid', 'data.endpoints'],
    [{ reason: 'x', endpoints: ['a'], host: 'h' }, 'selection-ambiguous', 'data.endpoints'],
    [{ reason: 'x', endpoints: ['a', 'b c'] }, 'field-invalid', 'data.endpoints[1]'],
    [{ reason: 'x', endpoints: ['a', 7] }, 'field-invalid', 'data.endpoints[1]'],
    [{ reason: 'x', pairs: [] }, 'field-invalid', 'data.pairs'],
    [{ reason: 'x', pairs: [{ endpoint: 'a' }], host: 'h' }, 'selection-ambiguous', 'data.endpoints'],
    [{ reason: 'x', pairs: [{ endpoint: 'a' }], target: 'h' }, 'selection-ambiguous', 'data.target'],
    [{ reason: 'x', pairs: [{ target: 'h' }] }, 'field-missing', 'data.pairs[0].endpoint'],
    [{ reason: 'x', pairs: [{ endpoint: 'a', to: 'h' }] }, 'field-unknown', 'data.pairs[0].to'],
    [
      { reason: 'x', pairs: [{ endpoint: 'a', target: 'h' }, { endpoint: 'b' }, { endpoint: 'a' }] },
      'endpoint-twice',
      'data.pairs[2].endpoint',
    ],
    [{ reason: 'x', labels: {} }, 'field-invalid', 'data.labels'],
    [{ reason: 'x', where: {} }, 'field-invalid', 'data.where'],
    [{ reason: 'x', where: { labels: {} } }, 'field-invalid', 'data.where.labels'],
    [{ reason: 'x', where: { size: {} } }, 'field-invalid', 'data.where.size'],
    [{ reason: 'x', where: { size: { atLeast: 2, atMost: 1 } } }, 'field-invalid', 'data.where.size'],
    [{ reason: 'x', where: { size: { atLeast: -1 } } }, 'field-invalid', 'data.where.size.atLeast'],
    [{ reason: 'x', where: { zone: 'z1' } }, 'field-unknown', 'data.where.zone'],
    [{ reason: 'x', rebalance: false }, 'field-invalid', 'data.rebalance'],
    [{ reason: 'x', rebalance: true, target: 'h2' }, 'selection-ambiguous', 'data.target'],
    [{ reason: 'x', relieve: { host: 'h1' } }, 'field-missing', 'data.relieve.under'],
    [{ reason: 'x', relieve: { host: 'h1', under: 70 } }, 'field-invalid', 'data.relieve.under'],
    [{ reason: 'x', relieve: { host: 'h1', under: 0 } }, 'field-invalid', 'data.relieve.under'],
    [
      { reason: 'x', relieve: { host: 'h1', under: 0.7 }, target: 'h2' },
      'selection-ambiguous',
      'data.target',
    ],
    [{ reason: 'x', host: 'h1', target: 'h1' }, 'source-is-target', 'data.target'],
    [{ reason: 'x', host: 'h1', traget: 'h2' }, 'field-unknown', 'data.traget'],
    [{ reason: 'x', host: 'h1', policy: { roles: 'maybe' } }, 'field-invalid', 'data.policy.roles'],
    [{ reason: 'x', host: 'h1', policy: { lagLimitBytes: 1 } }, 'field-invalid', 'data.policy.lagLimitBytes'],
    [{ reason: 'x', host: 'h1', policy: { speed: 9 } }, 'field-unknown', 'data.policy.speed'],
    [
      { reason: 'x', target: 'h2', selectionRef: { key: 'k', sha256: 'a'.repeat(64), bytes: 1 } },
      'selection-ambiguous',
      'data.selectionRef',
    ],
    [
      { reason: 'x', selectionRef: { key: 'k', sha256: 'A', bytes: 1 } },
      'field-invalid',
      'data.selectionRef.sha256',
    ],
  ])('is refused when its data are %j', (data, code, field) => {
    const refusal = refused(event(data));
    expect(refusal).toMatchObject({ code, field });
    expect(refusal.sentence).toMatch(/\.$/);
    expect(refusal.cure).toMatch(/\.$/);
  });

  test('has the same body hash whatever the order of its fields, and another when its data change', () => {
    const hash = (data: unknown) => accepted(event(data)).head.bodyHash;
    expect(hash({ reason: 'x', host: 'h1' })).toBe(hash({ host: 'h1', reason: 'x' }));
    expect(hash({ reason: 'x', host: 'h1' })).not.toBe(hash({ reason: 'x', host: 'h2' }));
  });
});

describe('an endpoint.registered event', () => {
  const registered = (data: unknown): string => event(data, { type: 'endpoint.registered' });

  test('places an endpoint; a database may have any printable name', () => {
    const data = { name: 'shop', host: 'h1', database: 'Läden "Nord" 🛒', labels: { tier: 'gold' } };
    expect(accepted(registered(data)).event).toEqual({
      kind: 'register-endpoint',
      endpoint: 'shop',
      host: 'h1',
      database: 'Läden "Nord" 🛒',
      wishes: { sizeBytes: 0, labels: { tier: 'gold' } },
    });
  });

  test('may say where it may be, and which others it is kept apart from', () => {
    const data = { name: 'shop', host: 'h1', database: 'shop', zones: ['z1', 'z2', 'z1'], pin: 'h1' };
    expect(accepted(registered({ ...data, group: 'web' })).event).toMatchObject({
      wishes: { group: { name: 'web', spread: 'hosts' }, zones: ['z1', 'z2'], pin: 'h1' },
    });
    expect(accepted(registered({ ...data, group: { name: 'web', spread: 'zones' } })).event).toMatchObject({
      wishes: { group: { name: 'web', spread: 'zones' } },
    });
  });

  test.each([
    [{ name: 'shop', host: 'h1' }, 'field-missing', 'data.database'],
    [{ name: 'shop', host: 'h1', database: 'x\u0000y' }, 'text-unprintable', 'data.database'],
    [{ name: '../shop', host: 'h1', database: 'x' }, 'field-invalid', 'data.name'],
    [{ name: 'shop', host: 'h1', database: 'x', sizeBytes: -1 }, 'field-invalid', 'data.sizeBytes'],
    [{ name: 'shop', host: 'h1', database: 'x', labels: { 'a b': 'c' } }, 'field-invalid', 'data.labels.a b'],
    [{ name: 'shop', host: 'h1', database: 'x', group: '' }, 'field-invalid', 'data.group'],
    [
      { name: 'shop', host: 'h1', database: 'x', group: { name: 'a', spread: 'racks' } },
      'field-invalid',
      'data.group',
    ],
    [{ name: 'shop', host: 'h1', database: 'x', zones: [] }, 'field-invalid', 'data.zones'],
    [{ name: 'shop', host: 'h1', database: 'x', zones: ['z1', ''] }, 'field-invalid', 'data.zones[1]'],
    [{ name: 'shop', host: 'h1', database: 'x', pin: 'a b' }, 'field-invalid', 'data.pin'],
  ])('is refused when its data are %j', (data, code, field) => {
    expect(refused(registered(data))).toMatchObject({ code, field });
  });
});

describe('an endpoint.changed event', () => {
  const changed = (data: unknown, parts: Parts = {}): string =>
    event(data, { type: 'endpoint.changed', ...parts });

  test('changes what it names and takes away what is null; its time orders it where its publisher does not', () => {
    expect(accepted(changed({ name: 'shop', sequence: 7, labels: {}, pin: null })).event).toEqual({
      kind: 'change-endpoint',
      endpoint: 'shop',
      sequence: 7,
      wishes: { labels: {}, pin: null },
    });
    const time = new Date(receivedAt - 5_000).toISOString();
    expect(accepted(changed({ name: 'shop', sizeBytes: 1 }, { time })).event).toMatchObject({
      sequence: receivedAt - 5_000,
    });
  });

  test.each([
    [{ name: 'shop' }, 'change-missing', 'data'],
    [{ name: 'shop', sequence: 1 }, 'change-missing', 'data'],
    [{ sizeBytes: 1 }, 'field-missing', 'data.name'],
    [{ name: 'shop', sizeBytes: null }, 'field-invalid', 'data.sizeBytes'],
    [{ name: 'shop', labels: null }, 'field-invalid', 'data.labels'],
    [{ name: 'shop', zones: [] }, 'field-invalid', 'data.zones'],
    [{ name: 'shop', sequence: -1, pin: null }, 'field-invalid', 'data.sequence'],
    [{ name: 'shop', database: 'other' }, 'field-unknown', 'data.database'],
  ])('is refused when its data are %j', (data, code, field) => {
    expect(refused(changed(data))).toMatchObject({ code, field });
  });
});

describe('what is no event', () => {
  test.each([
    ['nothing', '', 'not-json'],
    ['text', 'move everything', 'not-json'],
    ['a list', '[]', 'field-invalid'],
    ['an envelope of another version', event({}, { specversion: '0.3' }), 'field-invalid'],
    ['an event without an id', event({}, { id: undefined }), 'field-missing'],
    ['an event of another topic', event({}, { type: 'host.draining' }), 'type-unknown'],
    ['an event named like a method of every object', event({}, { type: 'toString' }), 'type-unknown'],
    ['an attribute that CloudEvents does not allow', event({}, { extra: { nested: 1 } }), 'field-invalid'],
    ['more than a topic carries', event({ reason: 'x'.repeat(262_144) }), 'text-too-long'],
    ['an abyss of brackets', `{"data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'too-deep'],
    ['a key that reaches for the prototype', '{"data":{"__proto__":{"admin":true}}}', 'key-forbidden'],
    ['a key that reaches for the constructor', event({ labels: { constructor: 'x' } }), 'key-forbidden'],
    ['a line that turns the direction of reading', event({ reason: 'a\u202eb' }), 'text-unprintable'],
    ['half of a surrogate pair', '{"id":"\\ud800"}', 'text-malformed'],
  ])('%s is refused', (_what, text, code) => {
    expect(refused(text)).toMatchObject({ code });
  });

  test('nothing of a refused value is repeated in the refusal: it may be a secret in the wrong place', () => {
    const refusal = refused(event({ reason: 'x', host: 'hunter2 hunter2' }));
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });

  test('extension attributes of other specifications are let pass', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(accepted(event({ reason: 'x', host: 'h1' }, { traceparent })).kind).toBe('event');
  });
});
