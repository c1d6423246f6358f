import { setTimeout as sleep } from 'node:timers/promises';
import { hostName, type BatchId } from '../../shared/domain/ids.ts';
import { permitsOf } from '../../shared/domain/host.ts';
import { alarmOfLag } from './alarm-of-lag.ts';
import type { Stage } from './stage.ts';

/** What an act has begun, and must have ended when the curtain falls. */
export interface Acted {
  readonly batches: readonly BatchId[];
}
export interface Act {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<Acted>;
}

const nothing: Acted = { batches: [] };

export const acts: readonly Act[] = [
  {
    title: 'A drain: one event empties a host, and a PostgreSQL host beside it',
    play: async (stage) => {
      const [failing] = stage.scene.servers;
      const one = await stage.batch('host-changes', 'host.draining', {
        host: 'sim-1',
        reason: 'new hardware',
        policy: { retention: 0 },
      });
      const other = await stage.batch('host-changes', 'host.draining', {
        host: failing?.name ?? '',
        reason: 'a disk reports errors',
      });
      return { batches: [one, other] };
    },
  },
  {
    title: 'A host fails in the middle of it: after its grace period it is emptied before everything else',
    play: async (stage) => {
      await stage.carryOut('requests', 'knob.set', {
        knob: 'graceMs',
        value: 3_000,
        reason: 'nobody wants to wait for a demonstration',
      });
      await stage.carryOut('host-changes', 'host.failed', { host: 'sim-2', reason: 'its power supply' });
      await stage.until('the failed host to be emptied', async () => {
        return (await stage.endpointsOn(hostName('sim-2'))) === 0;
      });
      stage.say('sim-2 is empty; it recovers');
      await stage.carryOut('host-changes', 'host.recovered', { host: 'sim-2' });
      return nothing;
    },
  },
  {
    title: 'An alarm of CloudWatch: the permits of a host are halved, and come back one by one',
    play: async (stage) => {
      const before = permitsOf(await stage.host('sim-3'), 'in');
      await stage.tell('ScaleTopicArn', alarmOfLag('sim-3', 'ALARM'));
      await stage.until('the permits of sim-3 to be lowered', async () => {
        return permitsOf(await stage.host('sim-3'), 'in') < before;
      });
      const after = permitsOf(await stage.host('sim-3'), 'in');
      stage.say(`sim-3 takes ${String(after)} moves at once instead of ${String(before)}`);
      await stage.tell('ScaleTopicArn', alarmOfLag('sim-3', 'OK'));
      return nothing;
    },
  },
  {
    title:
      'Everything is paused: what copies goes on, nothing begins and nothing cuts over; then it is resumed',
    play: async (stage) => {
      const batch = await stage.batch('host-changes', 'host.draining', {
        host: 'sim-4',
        reason: 'firmware',
        policy: { retention: 0 },
      });
      await stage.carryOut('requests', 'command.requested', {
        verb: 'pause',
        all: true,
        reason: 'the payroll runs',
      });
      await sleep(4_000);
      const before = await stage.endpointsOn(hostName('sim-4'));
      await sleep(4_000);
      const after = await stage.endpointsOn(hostName('sim-4'));
      if (before !== after || before === 0)
        throw new Error(`endpoints left sim-4 while all was paused: ${String(before)} → ${String(after)}`);
      const [worst] = (await stage.explain(batch)).blockers;
      if (worst?.code !== 'paused') throw new Error('nobody says that all is paused');
      stage.say(`why it waits: ${worst.on} (${String(worst.moves)} moves)`);
      await stage.carryOut('requests', 'command.requested', {
        verb: 'resume',
        all: true,
        reason: 'the payroll is done',
      });
      return { batches: [batch] };
    },
  },
  {
    title: 'A drain that cannot be done: the only host of a zone, whose endpoints may be nowhere else',
    play: async (stage) => {
      stage.simulated.network.addHost({ name: 'island' });
      stage.simulated.network.addDatabase('island', { name: 'castaway', bytes: 4_096, rows: 5 }, Date.now());
      await stage.carryOut('host-changes', 'host.registered', {
        name: 'island',
        driver: 'simulated',
        url: stage.simulated.url('island'),
        zone: 'island',
      });
      await stage.carryOut('requests', 'endpoint.registered', {
        name: 'castaway',
        host: 'island',
        database: 'castaway',
        sizeBytes: 4_096,
        zones: ['island'],
      });
      const outcome = await stage.outcome('host-changes', 'host.draining', {
        host: 'island',
        reason: 'the ferry no longer calls',
      });
      if ('code' in outcome) {
        stage.say(`refused: ${outcome.sentence} ${outcome.cure}`);
        return nothing;
      }
      if (outcome.batch === undefined) throw new Error('the drain made no batch');
      const { batch } = outcome;
      await stage.until('the drain to be explained', async () => stage.isCompleted(batch));
      const { blockers } = await stage.explain(batch);
      if (blockers.length === 0) throw new Error('nobody says why castaway stays');
      stage.say(`not moved: ${blockers[0]?.on ?? ''}; ${blockers[0]?.cure ?? ''}`);
      return { batches: [batch] };
    },
  },
  {
    title: 'A manifest: a list of endpoints is put into a bucket',
    play: async (stage) => {
      const names = stage.fleet.endpoints.filter(({ host }) => host === 'sim-5');
      const lines = ['endpoint,target', ...names.map(({ name }) => `${name},sim-6`)];
      await stage.put('wave-7.csv', `${lines.join('\n')}\n`, { reason: 'wave 7 of the rollout' });
      await stage.until('the endpoints of the manifest to arrive', async () => {
        const placements = await Promise.all(names.map(({ name }) => stage.scene.fleet.placement(name)));
        return placements.every((placement) => placement?.host === 'sim-6');
      });
      stage.say(`${String(names.length)} endpoints of wave-7.csv are on sim-6`);
      return nothing;
    },
  },
];
