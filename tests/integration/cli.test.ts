import { once } from 'node:events';
import { createServer } from 'node:net';
import { readdir, readFile, mkdtemp, rm, chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse as parseCsv } from 'csv-parse/sync';
import * as z from 'zod';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { startServer, type PostgresServer } from '../../local/demo/servers.ts';
import { makeFleet } from '../../local/simulated/fleet.ts';
import { startSimulatedServer, type SimulatedServer } from '../../local/simulated/server.ts';
import { Dray } from '../support/dray-command.ts';
import { beforeRemoval } from '../support/sls-remove.ts';

jest.setTimeout(180_000);

let folder: string;
let stateDir: string;
let dray: Dray;
let greeting: string;
let simulated: SimulatedServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dray-cli-'));
  await chmod(folder, 0o755);
  stateDir = join(folder, 'state');
  dray = new Dray(stateDir);
  simulated = await startSimulatedServer(0);
  makeFleet(simulated.network, { hosts: 3, endpoints: 12, onHosts: 1 }, Date.now());
  greeting = await dray.up();
});

afterAll(async () => {
  await dray.stop();
  await simulated.close();
  await rm(folder, { recursive: true, force: true });
});

const simUrl = (nth: number): string => simulated.url(`sim-${String(nth)}`);
const checkup = z.strictObject({
  findings: z.array(
    z.strictObject({
      of: z.string(),
      state: z.enum(['good', 'attention', 'bad']),
      code: z.string(),
      sentence: z.string(),
      cure: z.string().optional(),
    }),
  ),
});
const audited = z.object({
  differences: z.array(z.looseObject({ code: z.string(), subject: z.string(), repairable: z.boolean() })),
});
const exported = z.looseObject({
  move: z.string(),
  batch: z.string(),
  endpoint: z.string(),
  reason: z.string().nullable(),
});
const report = z.strictObject({
  batch: z.string().regex(/^bt_[0-9a-z]{20}$/),
  state: z.literal('completed'),
  reason: z.string(),
  moves: z.strictObject({ total: z.int(), moved: z.int(), rolledBack: z.int(), stuck: z.int() }),
  pauseMs: z.strictObject({
    p50: z.number().nullable(),
    p99: z.number().nullable(),
    max: z.number().nullable(),
  }),
  bytes: z.int(),
  seconds: z.number(),
  endpoints: z.array(
    z.strictObject({
      endpoint: z.string(),
      from: z.string(),
      to: z.string(),
      state: z.string(),
      step: z.string().nullable(),
      pauseMs: z.number().nullable(),
      reason: z.string().optional(),
      quarantined: z.literal(true).optional(),
    }),
  ),
});

describe('dray on the embedded cloud', () => {
  it('greets with the endpoint and what to do next, and refuses a second cloud on the same folder', async () => {
    expect(greeting).toMatch(/endpoint +http:\/\/127\.0\.0\.1:\d+/);
    expect(greeting).toContain(`npx dray --state-dir ${stateDir} host add`);
    const second = await dray.spawn(['up']);
    expect([second.code, second.out]).toEqual([1, '']);
    expect(second.err).toContain('cloud-already-running');
  });

  it('tells a shell which words can come next', async () => {
    const words = await dray.spawn(['complete', '--', 'move', 'r']);
    expect(words.out.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['release', 'retry', 'reverse']),
    );
    expect((await dray.spawn(['completion', 'bash'])).out).toContain('complete -F');
  });

  it('prints variables with which any SDK client reaches it', async () => {
    const { out } = await dray.run(['env']);
    expect(out).toMatch(/^export AWS_ENDPOINT_URL='http:\/\/127\.0\.0\.1:\d+'$/m);
    const { value } = await dray.json(['env']);
    const variables = z.record(z.string(), z.string()).parse(value);
    const elsewhere = new Dray(join(folder, 'no-such-state'));
    expect((await elsewhere.run(['host', 'list'])).code).toBe(1);
    expect((await elsewhere.run(['host', 'list'], '', variables)).code).toBe(0);
  });

  it('registers hosts that answer, and refuses one that does not', async () => {
    for (const nth of [1, 2, 3]) {
      const added = await dray.run([
        'host',
        'add',
        `h${String(nth)}`,
        '--driver',
        'simulated',
        '--url',
        simUrl(nth),
      ]);
      expect([added.code, added.err]).toEqual([0, '']);
    }
    const wrong = await dray.json(['host', 'add', 'h9', '--driver', 'simulated', '--url', simUrl(9)]);
    expect(wrong).toMatchObject({ code: 1, value: { outcome: 'refused', cure: expect.any(String) } });
    const { value } = await dray.json(['host', 'list']);
    expect(value).toMatchObject({
      hosts: [{ host: 'h1', intent: 'active', endpoints: 0 }, { host: 'h2' }, { host: 'h3' }],
    });
  });

  it('discovers databases and registers them, once', async () => {
    const first = await dray.json(['endpoint', 'discover', 'h1', '--add']);
    expect(first.code).toBe(0);
    const again = await dray.json(['endpoint', 'discover', 'h1', '--add']);
    expect(again.value).toEqual(first.value);
    const { out } = await dray.run(['endpoint', 'list', '--host', 'h1']);
    expect(out.trim().split('\n')).toHaveLength(1 + 12);
  });

  it('says where an endpoint is, in exactly the documented shape', async () => {
    const { code, value } = await dray.json(['endpoint', 'show', 'tenant-00001']);
    expect(code).toBe(0);
    expect(value).toEqual({
      endpoint: 'tenant-00001',
      host: 'h1',
      address: `127.0.0.1:${String(simulated.port)}`,
      database: 'tenant-00001',
      epoch: 1,
      state: 'serving',
    });
    const wrong = await dray.run(['endpoint', 'show', 'tenant-0001']);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('did you mean tenant-000');
  });

  it('moves endpoints and reports every one of them', async () => {
    const { code, value } = await dray.json([
      ...['move', 'tenant-00001', 'tenant-00002', '--to', 'h2'],
      ...['--reason', 'a test', '--retention', '0', '--wait'],
    ]);
    const moved = report.parse(value);
    expect(code).toBe(0);
    expect(moved).toMatchObject({ reason: 'a test', moves: { total: 2, moved: 2, rolledBack: 0, stuck: 0 } });
    expect(moved.pauseMs.max).toBeGreaterThanOrEqual(moved.pauseMs.p50 ?? Infinity);
    for (const endpoint of moved.endpoints) expect(endpoint).toMatchObject({ from: 'h1', to: 'h2' });
    expect((await dray.json(['batch', 'show', moved.batch])).value).toMatchObject({ moves: moved.moves });
    expect(await dray.run(['batch', 'wait', moved.batch])).toMatchObject({ code: 0 });
    expect((await dray.json(['endpoint', 'show', 'tenant-00001'])).value).toMatchObject({
      host: 'h2',
      epoch: 2,
    });
    expect((await dray.run(['explain', 'tenant-00001'])).out).toContain('its last move was mv_');
  });

  it('tells the story in lines where nobody watches', async () => {
    const { code, out } = await dray.run(['move', 'tenant-00003', '--to', 'h2', '--wait']);
    expect(code).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines[0]).toMatch(/^accepted → bt_/);
    expect(lines.at(-2)).toMatch(/^\d\d:\d\d:\d\dZ tenant-00003 {2}h1 → h2 {2}1[12]\/12 {2}(moved|retired)/);
    expect(lines.at(-1)).toMatch(/^✓ batch bt_\w+ completed: 1 of 1 moved/);
    expect(out).not.toContain('\u001b');
  });

  it('carries a request out once, however often it is given', async () => {
    const args = ['move', 'tenant-00004', '--to', 'h3', '--reason', 'once', '--request-id', 'once-1'];
    const first = await dray.json(args);
    expect(first).toMatchObject({ code: 0, value: { request: 'once-1', outcome: 'accepted' } });
    expect(await dray.json(args)).toEqual(first);
    const other = await dray.json(['move', 'tenant-00005', '--to', 'h3', '--request-id', 'once-1']);
    expect(other).toMatchObject({ code: 1, value: { outcome: 'refused', code: 'request-id-reused' } });
  });

  it('moves a list of endpoints, each to its own host, once, and says what is wrong with a line', async () => {
    const list = join(folder, 'list.csv');
    await writeFile(list, 'endpoint,target\ntenant-00008,h2\ntenant-00009,h3\n');
    const put = ['manifest', 'put', list, '--reason', 'für Rack 7', '--retention', '0'];
    const { code, value } = await dray.json([...put, '--wait']);
    const moved = report.parse(value);
    expect([code, moved.reason]).toEqual([0, 'für Rack 7']);
    expect(moved.endpoints).toMatchObject([
      { endpoint: 'tenant-00008', to: 'h2', state: expect.stringMatching(/moved|retired/) },
      { endpoint: 'tenant-00009', to: 'h3' },
    ]);
    expect(await dray.json(put)).toMatchObject({
      code: 0,
      value: { outcome: 'accepted', batch: moved.batch },
    });

    const bad = join(folder, 'bad.jsonl');
    await writeFile(bad, '{"endpoint":"tenant-00010","target":"h2"}\n{"endpoint":"nobody"}\n{"endp');
    const refused = await dray.run(['manifest', 'put', bad]);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('refused manifest-lines (line 2)');
    expect(refused.err).toContain('2 of 3 lines are wrong: line 2: there is no endpoint nobody; line 3');
    const [, key = ''] = /dray manifest report (\S+)/.exec(refused.err) ?? [];
    expect((await dray.json(['manifest', 'report', key])).value).toMatchObject({
      lines: 3,
      faults: [
        { line: 2, code: 'endpoint-unknown' },
        { line: 3, code: 'line-cut-off' },
      ],
    });
    expect((await dray.run(['refusals'])).out).toContain('manifest-lines (line 2)');

    const skipped = await dray.run(['manifest', 'put', bad, '--bad-lines', 'skip', '--wait']);
    expect(skipped.code).toBe(1);
    expect(skipped.out).toMatch(/! without 2 lines of it that are wrong: dray manifest report bt_/);
    expect(skipped.out).toContain('1 of 1 moved');
    const news = await dray.run(['notifications']);
    expect(news.out).toMatch(/batch bt_\w+ is finished: 1 of 1 moved/);
    expect(news.out).toContain('2: lines of the manifest that were wrong');
  });

  it.each([
    [['move', 'nobody', '--to', 'h2'], 'endpoint-unknown', 'data.endpoints[0]'],
    [['move', 'tenant-00006', '--to', 'nowhere'], 'host-unknown', 'data.target'],
    [['move', 'tenant-00006', '--to', 'h1'], 'source-is-target', 'data.endpoints[0]'],
    [['drain', 'nowhere', '--reason', 'x'], 'host-unknown', 'data.host'],
    [['drain', 'h1', '--reason', 'x', '--to', 'h1'], 'source-is-target', 'data.target'],
  ])('refuses %j with a code, the field, a sentence and the cure', async (args, code, field) => {
    const told = await dray.run(args);
    expect([told.code, told.out]).toEqual([1, '']);
    expect(told.err).toContain(`refused ${code} (${field})`);
    expect(told.err).toContain('what next: ');
    const { code: exit, value } = await dray.json(args);
    expect(exit).toBe(1);
    expect(value).toMatchObject({
      outcome: 'refused',
      code,
      field,
      sentence: expect.any(String),
      cure: expect.any(String),
    });
  });

  it('turns a knob, and says who did and why', async () => {
    const set = ['knob', 'movesInAll', '50', '--reason', 'backups run'];
    expect(await dray.json(set)).toMatchObject({ code: 0, value: { outcome: 'accepted' } });
    expect((await dray.json(['knob', 'movesInAll'])).value).toMatchObject({
      knobs: [{ knob: 'movesInAll', value: 50, default: 200, turned: { reason: 'backups run' } }],
    });
    expect((await dray.run(['knob'])).out).toContain('backups run');
    expect(await dray.json(['knob', 'movesInAll', '0', '--reason', 'x'])).toMatchObject({
      code: 1,
      value: { code: 'field-invalid', field: 'data.value' },
    });
    expect((await dray.run(['knob', 'movesInAll', 'default', '--reason', 'done'])).code).toBe(0);
  });

  it('pauses everything, says so of what waits, and lets it go on', async () => {
    const pause = ['pause', '--all', '--reason', 'a test'];
    expect(await dray.json(pause)).toMatchObject({ code: 0, value: { outcome: 'accepted' } });
    try {
      const { value } = await dray.json(['move', 'tenant-00006', '--to', 'h2', '--approval', 'required']);
      const { batch } = z.object({ batch: z.string() }).parse(value);
      expect(await dray.json(['batch', 'approve', batch, '--reason', 'x'])).toMatchObject({
        code: 1,
        value: { code: 'approval-by-author', field: 'source' },
      });
      let told = '';
      while (!told.includes('the approval of batch')) told = (await dray.run(['explain', batch])).out;
      expect((await dray.run(['batch', 'cancel', batch, '--reason', 'a test'])).code).toBe(0);
      expect((await dray.run(['batch', 'wait', batch])).code).toBe(1);
      expect((await dray.run(['explain', batch])).out).toContain('was cancelled by dray/');
    } finally {
      expect((await dray.run(['resume', '--all', '--reason', 'a test'])).code).toBe(0);
    }
    expect(await dray.json(['host', 'pause', 'h9', '--reason', 'x'])).toMatchObject({
      code: 1,
      value: { error: { code: 'host-unknown' } },
    });
  });

  it('ends with 1 when an endpoint has not moved, and explains why', async () => {
    const url = simUrl(3);
    const add = ['host', 'add', 'bare', '--driver', 'simulated', '--url', url, '--option', 'roles=[]'];
    const bare = await dray.run(add);
    expect([bare.code, bare.err]).toEqual([0, '']);
    const { code, value } = await dray.json(['move', 'tenant-00006', '--to', 'bare', '--wait']);
    const ended = report.parse(value);
    expect([code, ended.moves]).toEqual([1, { total: 1, moved: 0, rolledBack: 1, stuck: 0 }]);
    const reason = ended.endpoints[0]?.reason ?? '';
    expect(reason).toMatch(/^[a-z-]+: ./);
    const [refusal = ''] = reason.split(':');
    expect((await dray.run(['explain', 'tenant-00006'])).out).toContain(`(${refusal})`);
    expect((await dray.run(['explain', ended.batch])).out).toContain('0 of 1 moved, 1 not');
    expect((await dray.run(['batch', 'show', ended.batch])).code).toBe(1);
    expect((await dray.run(['batch', 'watch', ended.batch])).code).toBe(1);
  });

  it('publishes an event of its reader, and fills in what it lacks', async () => {
    const event = JSON.stringify({
      type: 'batch-move.requested',
      data: { reason: 'by hand', endpoints: ['tenant-00007'], target: 'h2' },
    });
    const { code, value } = await dray.json(['publish', '-'], event);
    expect(code).toBe(0);
    const { batch } = z.object({ batch: z.string() }).parse(value);
    expect(await dray.run(['batch', 'wait', batch])).toMatchObject({ code: 0 });
    expect(await dray.run(['publish', '-'], 'no event')).toMatchObject({
      code: 1,
      err: expect.stringContaining('not-json'),
    });
    const forged = JSON.stringify({ type: 'host.draining', data: { host: 'h1', reason: 'a\u001b[2Jb' } });
    expect((await dray.run(['publish', '-'], forged)).err).toContain(
      'refused text-unprintable (data.reason)',
    );
  });

  it('refuses what can move nothing, with the rule that stops it', async () => {
    const add = ['host', 'add', 'old', '--driver', 'simulated', '--url', simUrl(3), '--option', 'version=9'];
    expect((await dray.run(add)).code).toBe(0);
    expect(await dray.json(['move', 'tenant-00006', '--to', 'old'])).toMatchObject({
      code: 1,
      value: {
        code: 'no-target',
        field: 'data.endpoints',
        sentence: expect.stringContaining('old runs an older version'),
      },
    });
  });

  it('plans, and does nothing', async () => {
    const { code, value } = await dray.json(['plan', 'move', 'tenant-00006', '--to', 'h2']);
    expect([code, value]).toMatchObject([
      0,
      { moves: [{ endpoint: 'tenant-00006', from: 'h1', to: 'h2', why: 'asked for' }], unplaced: [] },
    ]);
    const drain = ['drain', 'h1', '--reason', 'x', '--dry-run'];
    expect((await dray.run(drain)).out).toContain('nothing of it is done yet');
    expect((await dray.run(['host', 'list'])).out).not.toContain('draining');
    expect((await dray.run(['endpoint', 'show', 'tenant-00006'])).out).toMatch(/host +h1/);
    expect((await dray.json(['plan', 'relieve', 'h1', '--under', '70%'])).value).toMatchObject({
      unmet: { code: 'capacity-unknown' },
    });
  });

  it('changes what is wished of an endpoint, and takes it away again', async () => {
    const change = [
      'endpoint',
      'change',
      'tenant-00002',
      '--group',
      'web',
      '--spread',
      'zones',
      '--pin',
      'h1',
    ];
    expect((await dray.json(change)).value).toMatchObject({ outcome: 'accepted' });
    const shown = (await dray.run(['endpoint', 'show', 'tenant-00002'])).out;
    expect(shown).toMatch(/group +web, no two in one zone/);
    expect(shown).toMatch(/pinned to +h1/);
    await dray.run(['endpoint', 'change', 'tenant-00002', '--without', 'group', 'pin']);
    expect((await dray.run(['endpoint', 'show', 'tenant-00002'])).out).not.toMatch(/group|pinned/);
  });

  it('drains a host, which then takes nothing new until it is wanted again', async () => {
    const { code, value } = await dray.json([
      'drain',
      'h1',
      '--reason',
      'disk is failing',
      '--to',
      'h2',
      '--wait',
    ]);
    const drained = report.parse(value);
    expect([code, drained.moves.moved]).toEqual([0, drained.moves.total]);
    expect(drained.moves.total).toBeGreaterThan(0);
    expect((await dray.json(['endpoint', 'list', '--host', 'h1'])).value).toEqual({ endpoints: [] });
    expect(await dray.json(['move', 'tenant-00001', '--to', 'h1'])).toMatchObject({
      code: 1,
      value: { code: 'target-closed' },
    });
    expect((await dray.run(['host', 'uncordon', 'h1'])).code).toBe(0);
    expect((await dray.run(['move', 'tenant-00001', '--to', 'h1', '--wait'])).code).toBe(0);
  });

  it('changes a host, says that it fails and recovers, and tells endpoint by endpoint what becomes of it', async () => {
    expect((await dray.run(['host', 'change', 'h1', '--label', 'rack=7', '--capacity', '1GB'])).code).toBe(0);
    expect((await dray.run(['host', 'fail', 'h1', '--signal', 'disk', '--reason', 'it clicks'])).code).toBe(
      0,
    );
    const { out } = await dray.run(['host', 'show', 'h1']);
    expect(out).toContain('unwell (disk); healing begins at');
    expect(out).toMatch(/labels +rack=7/);
    expect(out).toMatch(/! tenant-00001 \(.*\): healing begins at .*\n +dray move tenant-00001/);
    expect((await dray.json(['host', 'show', 'h1'])).value).toMatchObject({
      capacityBytes: 1e9,
      health: [{ signal: 'disk', kind: 'failed', reason: 'it clicks' }],
      holds: [{ endpoint: 'tenant-00001', state: 'unmoved' }],
    });
    expect((await dray.json(['move', 'tenant-00002', '--to', 'h1'])).value).toMatchObject({
      code: 'target-closed',
    });
    expect((await dray.run(['host', 'recover', 'h1', '--signal', 'disk'])).code).toBe(0);
    expect((await dray.run(['explain', 'h1'])).out).toContain('healthy');
    expect((await dray.json(['host', 'remove', 'h1', '--reason', 'x'])).value).toMatchObject({
      code: 'host-in-use',
      field: 'data.host',
    });
  });

  it('shows a move step by step, with its history', async () => {
    const { value } = await dray.json(['batch', 'list', '--limit', '1']);
    const { batches } = z
      .object({ batches: z.array(z.object({ batch: z.string() })).length(1) })
      .parse(value);
    expect((await dray.run(['batch', 'show', batches[0]?.batch ?? ''])).out).toContain('tenant-00001');
    const [id = ''] = /mv_[0-9a-z]{16}/.exec((await dray.run(['explain', 'tenant-00001'])).out) ?? [];
    const shown = await dray.run(['move', 'show', id]);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('steps:\n   1  preflight');
    expect((await dray.json(['move', 'show', id])).value).toMatchObject({
      move: id,
      endpoint: 'tenant-00001',
      state: 'moved',
      timings: { copy: expect.any(Number), activate: expect.any(Number) },
    });
  });

  it('moves an endpoint whose name is a word of its own', async () => {
    const added = await dray.run(['endpoint', 'add', 'show', '--host', 'h3', '--database', 'tenant-00004']);
    expect([added.code, added.err]).toEqual([0, '']);
    const refused = await dray.run(['move', '--to', 'h3', '--', 'show']);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('refused source-is-target');
  });
});

describe('the status API of the embedded cloud', () => {
  const answered = z.looseObject({ state: z.string().optional() });
  interface Sending {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }
  async function api() {
    const { value } = await dray.json(['env']);
    const { DRAY_API_URL, DRAY_API_KEY } = z
      .object({ DRAY_API_URL: z.url(), DRAY_API_KEY: z.string() })
      .parse(value);
    const ask = async (path: string, init: Sending = {}, key = DRAY_API_KEY) => {
      const headers = { 'x-api-key': key, 'content-type': 'application/json', ...init.headers };
      const response = await fetch(`${DRAY_API_URL}${path}`, { ...init, headers });
      return {
        status: response.status,
        location: response.headers.get('location'),
        body: answered.parse(await response.json()),
      };
    };
    /** Posts, and waits until somebody has taken it. */
    const command = async (path: string, id: string, body: object) => {
      const headers = { 'idempotency-key': id };
      const posted = await ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(posted).toMatchObject({ status: 202, location: `/local/requests/${id}` });
      for (;;) {
        const { body: request } = await ask(`/requests/${id}`);
        if (request.state !== 'waiting') return request;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    return { ask, command };
  }

  it('says of hosts, endpoints and batches what dray says', async () => {
    const { ask } = await api();
    expect((await ask('/hosts', {}, 'another')).status).toBe(403);
    const { value } = await dray.json(['endpoint', 'show', 'tenant-00001']);
    const { host, epoch } = z.looseObject({ host: z.string(), epoch: z.number() }).parse(value);
    expect(await ask('/endpoints/tenant-00001')).toMatchObject({ body: { host, epoch } });
    expect(await ask(`/hosts/${host}/endpoints`)).toMatchObject({
      body: {
        endpoints: expect.arrayContaining([expect.objectContaining({ endpoint: 'tenant-00001', epoch })]),
      },
    });
    const batches = z
      .object({ batches: z.array(z.looseObject({ batch: z.string(), createdAt: z.number() })) })
      .parse((await ask('/batches')).body).batches;
    expect(batches.map(({ createdAt }) => createdAt)).toEqual(
      batches.map(({ createdAt }) => createdAt).toSorted((one, other) => other - one),
    );
    const listed = await dray.json(['batch', 'list', '--limit', '500']);
    expect(batches.map(({ batch }) => batch)).toEqual(
      z
        .object({ batches: z.array(z.object({ batch: z.string() })) })
        .parse(listed.value)
        .batches.map(({ batch }) => batch),
    );
  });

  it('takes a command, which does what the same event does, and tells what became of it', async () => {
    const { ask, command } = await api();
    expect(await command('/hosts/h3/cordon', 'api-cordon', { reason: 'by API' })).toMatchObject({
      state: 'accepted',
    });
    expect(await ask('/hosts/h3')).toMatchObject({
      body: { intent: { value: 'cordoned', reason: 'by API' } },
    });
    expect(await command('/hosts/h3/uncordon', 'api-uncordon', { reason: 'by API' })).toMatchObject({
      state: 'accepted',
    });
    expect(
      await command('/batches', 'api-refused', { reason: 'by API', endpoints: ['nobody'] }),
    ).toMatchObject({
      state: 'refused',
      code: 'endpoint-unknown',
      field: 'data.endpoints[0]',
      cure: expect.stringContaining('dray endpoint discover'),
    });
    const from = z.looseObject({ host: z.string() }).parse((await ask('/endpoints/tenant-00001')).body).host;
    const request = await command('/batches', 'api-move', {
      reason: 'by API',
      endpoints: ['tenant-00001'],
      target: from === 'h3' ? 'h2' : 'h3',
    });
    expect(request).toMatchObject({ state: 'accepted', batch: expect.stringMatching(/^bt_/) });
    const batch = z.object({ batch: z.string() }).loose().parse(request).batch;
    await dray.run(['batch', 'wait', batch]);
    expect(await ask(`/batches/${batch}`)).toMatchObject({ body: { state: 'completed', reason: 'by API' } });
  });
});

describe('dray by the status API alone', () => {
  let byApi: Dray;
  let batch: string;
  let move: string;

  beforeAll(async () => {
    const env = z.record(z.string(), z.string()).parse((await dray.json(['env'])).value);
    const { DRAY_API_URL = '', DRAY_API_KEY = '' } = env;
    byApi = new Dray(join(folder, 'no-such-state'), { DRAY_API_URL, DRAY_API_KEY });
    const batches = z.object({ batches: z.array(z.object({ batch: z.string() })).min(1) });
    const { value } = await dray.json(['batch', 'list', '--limit', '1']);
    batch = batches.parse(value).batches[0]?.batch ?? '';
    const explained = await dray.run(['explain', 'tenant-00001']);
    move = /mv_[0-9a-z]{16}/.exec(explained.out)?.[0] ?? '';
  });

  it('says the same, in the same shapes and with the same exit codes', async () => {
    for (const argv of [
      ['endpoint', 'show', 'tenant-00001'],
      ['endpoint', 'show', 'nobody'],
      ['endpoint', 'list'],
      ['endpoint', 'list', '--host', 'h2'],
      ['batch', 'list', '--limit', '500'],
      ['batch', 'show', batch],
      ['batch', 'wait', batch],
      ['batch', 'show', `bt_${'0'.repeat(20)}`],
      ['move', 'show', move],
      ['explain', move],
      ['explain', batch],
      ['explain', 'tenant-00001'],
      ['explain', 'h2'],
      ['explain', 'nobody'],
      ['history'],
      ['history', 'tenant-00001'],
      ['knob'],
      ['plan', 'move', 'tenant-00006', '--to', 'h2'],
    ]) {
      const [there, here] = [await dray.json(argv), await byApi.json(argv)];
      expect({ argv, ...here }).toEqual({ argv, ...there });
    }
    // How hosts reach each other is nobody's business outside.
    const hosts = z.object({ hosts: z.array(z.looseObject({ replicationAddress: z.string() })) });
    const untold = (value: unknown): unknown =>
      hosts.parse(value).hosts.map((host) => ({ ...host, replicationAddress: '' }));
    expect(untold((await byApi.json(['host', 'list'])).value)).toEqual(
      untold((await dray.json(['host', 'list'])).value),
    );
    expect(await byApi.json(['host', 'show', 'h2'])).toMatchObject({ code: 0, value: { host: 'h2' } });
    expect(await byApi.json(['doctor'])).toMatchObject({ code: 0, value: { findings: [{ state: 'good' }] } });
  });

  it('gives commands, and waits for what becomes of them', async () => {
    const asked = await dray.json(['move', 'tenant-00002', '--to', 'h1', '--approval', 'required']);
    const made = z.object({ batch: z.string() }).parse(asked.value).batch;
    // The key is somebody else than whoever has asked.
    expect(await byApi.json(['batch', 'approve', made, '--reason', 'looked at'])).toMatchObject({
      code: 0,
      value: { outcome: 'accepted' },
    });
    expect((await byApi.run(['batch', 'watch', made])).out).toMatch(/✓ batch bt_\w+ completed: 1 of 1 moved/);
    const back = ['move', 'tenant-00002', '--to', 'h2', '--reason', 'back', '--request-id', 'api-back'];
    const moved = await byApi.json([...back, '--wait']);
    expect([moved.code, report.parse(moved.value).moves]).toMatchObject([0, { total: 1, moved: 1 }]);
    expect(await byApi.json(back)).toMatchObject({ code: 0, value: { outcome: 'accepted' } });
    expect(await byApi.json([...back, '--retention', '0'])).toMatchObject({
      code: 1,
      value: { outcome: 'refused', code: 'request-id-reused' },
    });
    expect(await byApi.json(['move', 'nobody', '--to', 'h2'])).toMatchObject({
      code: 1,
      value: { outcome: 'refused', code: 'endpoint-unknown', field: 'data.endpoints[0]' },
    });
    for (const verb of ['pause', 'resume'])
      expect((await byApi.run(['host', verb, 'h3', '--reason', 'a test'])).code).toBe(0);
    expect(await byApi.json(['host', 'uncordon', 'h3'])).toMatchObject({
      code: 2,
      value: { error: { code: 'reason-missing' } },
    });
  });
});

describe('dray with real servers and passwords', () => {
  let source: PostgresServer;
  let target: PostgresServer;

  beforeAll(async () => {
    source = await startServer({ name: 'source', folder });
    target = await startServer({ name: 'target', folder });
    await source.query('CREATE DATABASE shop');
    await source.query('CREATE TABLE article (id int PRIMARY KEY, name text)', 'shop');
    await source.query(
      `INSERT INTO article SELECT n, 'article ' || n FROM generate_series(1, 1000) n`,
      'shop',
    );
    await source.query('CREATE DATABASE "Ünï ""q"" tenant"');
    await source.query('CREATE DATABASE "evil\u001b[31m\u202ename"');
  });

  afterAll(async () => {
    await source.remove();
    await target.remove();
  });

  it('keeps the password as a secret and nowhere else', async () => {
    for (const server of [source, target]) {
      const added = await dray.run(['host', 'add', server.name, '--url', server.url(), '--zone', 'z1']);
      expect([added.code, added.err]).toEqual([0, '']);
      expect(added.out).toContain('postgres 18');
      expect(added.out).not.toContain(server.address.password);
    }
    expect(await secretOf('source')).toBe(source.address.password);
    for (const file of await readdir(stateDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || file.name.startsWith('secrets.json')) continue;
      const content = await readFile(join(file.parentPath, file.name));
      expect([file.name, content.includes(source.address.password)]).toEqual([file.name, false]);
    }
  });

  it('looks for the usual troubles of machine, installation and hosts, and names the cure of each', async () => {
    const { code, value } = await dray.json(['doctor']);
    const { findings } = checkup.parse(value);
    expect([code, findings.filter(({ state }) => state === 'bad')]).toEqual([0, []]);
    const said = (of: string): string[] => findings.filter((each) => each.of === of).map((each) => each.code);
    expect([said('embedded cloud'), said('PostgreSQL'), said('DynamoDB')]).toEqual([['ok'], ['ok'], ['ok']]);
    // As initdb leaves it.
    expect(said('host source')).toEqual(['wal-keep-unlimited']);
    await source.stop();
    const sick = await dray.run(['doctor']);
    await source.restart();
    expect(sick.code).toBe(1);
    expect(sick.out).toMatch(/✗ host source: .+\n +what next: .+/);
    expect(sick.out).toContain('1 thing to mend');
  });

  it('looks at what a cloud would need where none runs', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = z.object({ port: z.int() }).parse(blocker.address());
    const elsewhere = new Dray(join(folder, 'not-made-yet'));
    const free = await elsewhere.run(['doctor']);
    expect([free.code, free.out]).toEqual([0, expect.stringContaining('none runs on')]);
    const taken = await elsewhere.run(['doctor', '--port', String(port)]);
    blocker.close();
    expect([taken.code, taken.out]).toEqual([
      1,
      expect.stringContaining(`✗ port ${String(port)}: another program listens on it`),
    ]);
  });

  it('refuses a wrong password and keeps the right one', async () => {
    const wrong = new URL(source.url());
    wrong.password = 'wrong';
    const { code, value } = await dray.json(['host', 'add', 'source', '--url', wrong.href]);
    expect([code, z.object({ outcome: z.string() }).parse(value).outcome]).toEqual([1, 'refused']);
    expect(JSON.stringify(value)).toMatch(/password/);
    expect(await secretOf('source')).toBe(source.address.password);
  });

  it('refuses a host that is where none may be, and says where they may', async () => {
    const metadata = 'postgres://mover@169.254.169.254:80/postgres';
    const { code, value } = await dray.json(['host', 'add', 'metadata', '--url', metadata, '--zone', 'z1']);
    expect([code, value]).toMatchObject([
      1,
      {
        outcome: 'refused',
        code: 'host-address-refused',
        field: 'data.url',
        cure: expect.stringContaining('hostNetworks'),
      },
    ]);
  });

  it('discovers names of all kinds, and sends none of them raw to the terminal', async () => {
    const { code, out } = await dray.run(['endpoint', 'discover', 'source', '--add']);
    expect(out).toMatch(/^Ünï "q" tenant .* Uni-q-tenant-[0-9a-f]{6} +✓ added$/m);
    // No event may have control characters, so this one cannot be registered; the others are.
    expect(out).toMatch(/^evil\\x1b\[31m\\u202ename .* evil-31m-name-[0-9a-f]{6} +✗ text-unprintable/m);
    expect(code).toBe(1);
    expect(out).not.toMatch(/[\u001b\u202e]/);
  });

  it('moves a database for real', async () => {
    const { code, value } = await dray.json(['move', 'shop', '--to', 'target', '--wait']);
    const moved = report.parse(value);
    expect([code, moved.endpoints]).toMatchObject([0, [{ endpoint: 'shop', from: 'source', to: 'target' }]]);
    const past = z.object({ moves: z.array(z.looseObject({ endpoint: z.string() })) });
    const { moves } = past.parse((await dray.json(['history', 'shop'])).value);
    expect(moves).toMatchObject([
      { endpoint: 'shop', from: 'source', to: 'target', pauseMs: expect.any(Number) },
    ]);
    expect((await dray.run(['history'])).out).toMatch(/^\S+Z +shop +source → target +✓ (moved|retired)/m);
    const address = `${target.address.host}:${String(target.address.port)}`;
    expect((await dray.json(['endpoint', 'show', 'shop'])).value).toMatchObject({
      host: 'target',
      address,
      epoch: 2,
    });
    const client = await target.connect('shop');
    try {
      const { rows } = await client.query('SELECT count(*)::int AS articles FROM article');
      expect(rows).toEqual([{ articles: 1000 }]);
    } finally {
      await client.end();
    }
  });

  it('compares rows with hosts, and places an endpoint where it really serves', async () => {
    const differencesOf = async (...options: string[]) => {
      const { value } = await dray.json(['audit', ...options]);
      const { differences } = audited.parse(value);
      return differences.filter(({ subject }) => subject === 'endpoint shop');
    };
    expect(await differencesOf()).toEqual([]);
    await asIfRestored();
    expect(await differencesOf()).toMatchObject([{ code: 'endpoint-elsewhere', repairable: true }]);
    expect((await dray.run(['audit'])).out).toMatch(
      /✗ endpoint shop: is placed on source, .*target serves it/,
    );
    expect(await dray.run(['audit', '--repair'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('reason-missing'),
    });
    expect(await differencesOf('--repair', '--reason', 'a test')).toMatchObject([{ outcome: 'repaired' }]);
    expect(await differencesOf()).toEqual([]);
    const { value } = await dray.json(['endpoint', 'show', 'shop']);
    expect(z.object({ host: z.string(), epoch: z.int().min(3) }).parse(value).host).toBe('target');
  });

  /** The row of an endpoint as it was before its move. */
  async function asIfRestored(): Promise<void> {
    const env = await variables();
    const client = new DynamoDBClient({
      region: env['AWS_REGION'] ?? '',
      endpoint: env['AWS_ENDPOINT_URL_DYNAMODB'] ?? env['AWS_ENDPOINT_URL'] ?? '',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: env['DRAY_TABLE_NAME'] ?? '',
          Key: { pk: { S: 'ENDPOINT#shop' }, sk: { S: 'ENDPOINT' } },
          UpdateExpression:
            'SET #host = :source, onHost = :on, epoch = :epoch, claims = :none ADD version :one',
          ExpressionAttributeNames: { '#host': 'host' },
          ExpressionAttributeValues: {
            ':source': { S: 'source' },
            ':on': { S: 'endpoint#source' },
            ':epoch': { N: '1' },
            ':none': { N: '0' },
            ':one': { N: '1' },
          },
        }),
      );
    } finally {
      client.destroy();
    }
  }

  it('tells auditors who moved what, when, why, and what came of it, in lines', async () => {
    const { code, out } = await dray.run(['export', '--since', '1h']);
    expect(code).toBe(0);
    const entries = out
      .trimEnd()
      .split('\n')
      .map((line) => exported.parse(JSON.parse(line)));
    const [shop] = entries.filter(({ endpoint }) => endpoint === 'shop');
    expect(shop).toMatchObject({
      v: 1,
      source: 'source',
      target: 'target',
      requestedBy: expect.stringMatching(/^dray\//),
      verification: expect.objectContaining({}),
      pauseMs: expect.any(Number),
      bytes: expect.any(Number),
    });
    const csv = (await dray.run(['export', '--since', '1h', '--format', 'csv'])).out;
    const rows = parseCsv(csv, { columns: true });
    expect(rows).toHaveLength(entries.length);
    expect(rows).toContainEqual(expect.objectContaining({ move: shop?.move, reason: shop?.reason }));
    const ofBatch = await dray.run(['export', '--batch', shop?.batch ?? '']);
    expect(ofBatch.out.trimEnd().split('\n')).toHaveLength(1);
    expect((await dray.run(['export', '--since', '1h', '--until', '2h'])).code).toBe(2);
  });

  it('is not removed by serverless while something of it has not ended, unless that is forced', async () => {
    const env = await variables();
    const stage = (env['DRAY_TABLE_NAME'] ?? '').replace('drayage-', '');
    const remove = async (stageName: string, ...param: string[]): Promise<readonly string[]> =>
      await beforeRemoval(env['AWS_REGION'] ?? '', { stage: stageName, param });
    const kept = { ...process.env };
    Object.assign(process.env, env);
    try {
      await expect(remove(stage)).rejects.toThrow(/not removed: \d+ of its batches and moves/);
      expect(await remove(stage, 'force=yes')).toEqual([]);
      expect(await remove('nowhere')).toEqual([expect.stringContaining('no table drayage-nowhere')]);
      process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9';
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = 'http://127.0.0.1:9';
      await expect(remove(stage)).rejects.toThrow(/could not be asked/);
    } finally {
      process.env = kept;
    }
  });

  it('says which database was meant', async () => {
    const { code, err } = await dray.run(['endpoint', 'add', 'x', '--host', 'target', '--database', 'shopp']);
    expect(code).toBe(1);
    expect(err).toContain('database-unknown');
    expect(err).toContain('did you mean shop?');
  });

  async function variables(): Promise<Readonly<Record<string, string>>> {
    return z.record(z.string(), z.string()).parse((await dray.json(['env'])).value);
  }

  async function secretOf(host: string): Promise<string | undefined> {
    const env = await variables();
    const client = new SecretsManagerClient({
      region: env['AWS_REGION'] ?? '',
      endpoint: env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    try {
      const secret = await client.send(
        new GetSecretValueCommand({ SecretId: `drayage/${env['DRAY_INSTALLATION'] ?? ''}/hosts/${host}` }),
      );
      return secret.SecretString;
    } finally {
      client.destroy();
    }
  }
});

describe('dray up', () => {
  let shop: unknown;

  it('ends with 0 at Ctrl-C, and then nothing answers', async () => {
    shop = (await dray.json(['endpoint', 'show', 'shop'])).value;
    expect(await dray.stop()).toBe(0);
    const { code, err } = await dray.run(['host', 'list']);
    expect([code, err.includes('cloud-not-running')]).toEqual([1, true]);
  });

  it('has kept its state when it is started again', async () => {
    await dray.up();
    expect(shop).toMatchObject({ host: 'target' });
    expect((await dray.json(['endpoint', 'show', 'shop'])).value).toEqual(shop);
  });
});
