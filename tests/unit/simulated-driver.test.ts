import { afterEach, describe, expect, test } from '@jest/globals';
import { startSimulatedServer, type SimulatedServer } from '../../local/simulated/server.ts';
import type { Behaviour } from '../../shared/drivers/simulated/behaviour.ts';
import { check } from '../../shared/drivers/simulated/check.ts';
import { simulatedDriver, simulatedHttpDriver as driver } from '../../shared/drivers/simulated/driver.ts';
import { inProcess } from '../../shared/drivers/simulated/in-process.ts';
import { Network } from '../../shared/drivers/simulated/network.ts';
import { closing, failureCode, MoveTrial } from '../support/move-trial.ts';
import { siteOf } from '../support/simulated-pair.ts';

const servers: SimulatedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function hosts(
  target: Behaviour = {},
  source: Behaviour = {},
): Promise<{ server: SimulatedServer; trial: MoveTrial }> {
  const server = await startSimulatedServer();
  servers.push(server);
  server.network.addHost({ name: 'a', password: 'secret', behaviour: source });
  server.network.addHost({ name: 'b', password: 'secret', behaviour: target });
  server.network.addDatabase(
    'a',
    { name: 'shop', rows: 5, bytes: 10_000, extensions: ['spatial'] },
    Date.now(),
  );
  const sites = { source: siteOf('a', server.url('a')), target: siteOf('b', server.url('b')) };
  return { server, trial: new MoveTrial(sites, 'shop') };
}

describe('preflight', () => {
  test.each<[string, Behaviour, Behaviour]>([
    ['extension-missing', { extensions: [] }, {}],
    ['role-missing', { roles: [] }, {}],
    ['no-space', { capacityBytes: 9_000 }, {}],
    ['no-space', { diskFull: true }, {}],
    ['target-older', { version: 17 }, {}],
    ['target-cannot-reach-source', { cannotReach: ['a'] }, {}],
    ['workers-exhausted', { workers: 0 }, {}],
    ['slots-exhausted', {}, { slots: 0 }],
  ])('names %s', async (code, target, source) => {
    const { trial } = await hosts(target, source);
    await using session = closing(trial.worker(driver, 1));
    const { findings } = await session.of.preflight();
    expect(findings.map((finding) => finding.code)).toEqual([code]);
  });

  test('says how an endpoint without replication would move', async () => {
    const { trial } = await hosts({}, { replicates: false });
    await using session = closing(trial.worker(driver, 1));
    expect(await session.of.preflight()).toMatchObject({ mode: 'offline', findings: [] });
  });
});

describe('a worker', () => {
  test('waits while the hosts copy, and says how far they are', async () => {
    const { trial } = await hosts({ copyBytesPerSecond: 1_000 });
    await trial.run(driver, 1, 'preflight', 'provision');
    await using session = closing(trial.worker(driver, 1));
    const end = await session.of.copy(undefined);
    expect(end).toMatchObject({ kind: 'wait', code: 'copying' });
  });

  test('does what was done again when the answer was lost', async () => {
    const { server, trial } = await hosts({ lose: { open: 1 } }, { lose: { fence: 1 } });
    await trial.run(driver, 1, 'preflight', 'verify');
    await using session = closing(trial.worker(driver, 1));
    expect(await failureCode(session.of.fence())).toBe('host-unreachable');
    expect(server.check().homeless).toEqual(['shop']);
    await trial.runOn(session.of, 'fence', 'fenceForGood');
    expect(await failureCode(session.of.open())).toBe('host-unreachable');
    await trial.runOn(session.of, 'open', 'release');
    expect(server.check()).toMatchObject({
      lost: 0,
      duplicated: 0,
      homeless: [],
      doubled: [],
      served: { b: 1 },
    });
  });

  test('gives a settle up when the target does not follow, and the source serves again', async () => {
    const { server, trial } = await hosts({ lagMs: 60_000 });
    await trial.run(driver, 1, 'preflight', 'copy');
    server.network.write('a', { database: 'shop', writer: 'first', seq: 6 }, Date.now());
    await using session = closing(trial.worker(driver, 1));
    await session.of.fence();
    expect(await failureCode(session.of.settle(undefined))).toBe('settle-slow');
    await session.of.unfence();
    expect(server.network.write('a', { database: 'shop', writer: 'first', seq: 7 }, Date.now()).kind).toBe(
      'answer',
    );
  });

  test('finds a row that is missing on the target before anything is frozen', async () => {
    const { server, trial } = await hosts();
    await trial.run(driver, 1, 'preflight', 'catchUp');
    for (const database of server.network.hosts.get('b')?.databases.values() ?? [])
      database.rows.splice(2, 1);
    await using session = closing(trial.worker(driver, 1));
    expect(await failureCode(session.of.verify(undefined))).toBe('contents-differ');
  });

  test('finds a migration that came in between', async () => {
    const { server, trial } = await hosts();
    await trial.run(driver, 1, 'preflight', 'catchUp');
    const caller = { link: 'tenant', password: 'secret', options: {} };
    server.network.ask('a', caller, 'change-schema', { database: 'shop', schema: 'schema-2' }, Date.now());
    await using session = closing(trial.worker(driver, 1));
    expect(await failureCode(session.of.verify(undefined))).toBe('schema-changed');
  });

  test('cleans the source when the target is gone for good, and keeps the record of what is there', async () => {
    const { server, trial } = await hosts();
    await trial.run(driver, 1, 'preflight', 'catchUp');
    server.network.behave('b', { down: true });
    await using session = closing(trial.worker(driver, 2));
    expect(await failureCode(session.of.dropReplication())).toBe('host-unreachable');
    expect(await failureCode(session.of.dropTarget())).toBe('host-unreachable');
    expect(Object.keys(server.check().residue)).toEqual(['b']);
    expect(trial.ledger.keys(trial.sites.source.host)).toEqual([]);
    expect(trial.ledger.keys(trial.sites.target.host)).toHaveLength(2);
    expect(server.network.write('a', { database: 'shop', writer: 'first', seq: 6 }, Date.now()).kind).toBe(
      'answer',
    );
  });
});

test("a host's row may say how it behaves, and a word that nobody knows is named", async () => {
  const { trial } = await hosts();
  const { target } = trial.sites;
  await expect(driver.describe({ ...target, options: { workers: 3 } })).resolves.toMatchObject({
    movesIn: 3,
  });
  const call = driver.describe({ ...target, options: { wrokers: 3 } });
  await expect(call).rejects.toMatchObject({
    failure: { code: 'option-invalid' },
    message: expect.stringContaining('wrokers'),
  });
});

test('a fleet is made at one stroke, and its clients write where their databases serve', async () => {
  const server = await startSimulatedServer();
  servers.push(server);
  const answer = await fetch(`http://127.0.0.1:${String(server.port)}/-/fleet`, {
    method: 'POST',
    body: JSON.stringify({ hosts: 4, endpoints: 1_000, onHosts: 2 }),
  });
  expect(await answer.json()).toMatchObject({ hosts: ['sim-1', 'sim-2', 'sim-3', 'sim-4'] });
  server.write(2_000);
  while (server.check().acknowledged < 11_000) await new Promise((resolve) => setTimeout(resolve, 20));
  server.write(0);
  expect(server.check()).toMatchObject({
    databases: 1_000,
    lost: 0,
    duplicated: 0,
    served: { 'sim-1': 500, 'sim-2': 500 },
  });
});

test('a simulated process that dies loses its sessions, and what it still asks has no effect', async () => {
  const network = new Network();
  for (const name of ['a', 'b']) network.addHost({ name, password: 'secret' });
  network.addDatabase('a', { name: 'shop', rows: 5 }, 0);
  let now = 0;
  const time = {
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  const [first, second] = [inProcess(network, time), inProcess(network, time)];
  const trial = new MoveTrial(
    { source: siteOf('a', 'sim://here/a'), target: siteOf('b', 'sim://here/b') },
    'shop',
  );
  await trial.run(simulatedDriver(first), 1, 'preflight', 'preflight');
  const worker = trial.worker(simulatedDriver(first), 1);
  await trial.runOn(worker, 'provision', 'fence');
  first.die();
  expect(network.hosts.get('a')?.sessions.size).toBe(0);
  expect(await failureCode(worker.unfence())).toBe('host-unreachable');
  expect(check(network).homeless).toEqual(['shop']);
  await trial.goOn(simulatedDriver(second), 2, 'settle');
  expect(check(network)).toMatchObject({ lost: 0, served: { b: 1 }, homeless: [], doubled: [] });
});
