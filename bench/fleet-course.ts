import type { Fleet } from '../local/simulated/fleet.ts';
import type { SimulatedServer } from '../local/simulated/server.ts';
import type { Batch } from '../shared/domain/batch.ts';
import { endpointName, hostName } from '../shared/domain/ids.ts';
import { eventually, type FleetOperator } from './fleet-operator.ts';

export interface Patience {
  /** How long anything may take. */
  readonly minutes: number;
}

/** Tells the installation of every host and endpoint, and waits until it knows them. @throws FleetFailed */
export async function register(
  operator: FleetOperator,
  hosts: SimulatedServer,
  fleet: Fleet,
  options: Patience,
  say: (line: string) => void,
): Promise<void> {
  say(`registering ${String(fleet.hosts.length)} hosts and ${String(fleet.endpoints.length)} endpoints …`);
  await operator.publish(
    'HostChangesTopicArn',
    fleet.hosts.map((name, index) => ({
      id: `register-${name}`,
      type: 'host.registered',
      data: { name, driver: 'simulated', url: hosts.url(name), zone: `zone-${String((index % 3) + 1)}` },
    })),
  );
  const patienceMs = options.minutes * 60_000;
  for (const name of fleet.hosts) {
    await eventually(`host ${name}`, patienceMs, () => operator.store.load('host', { name: hostName(name) }));
  }
  await operator.publish(
    'RequestsTopicArn',
    fleet.endpoints.map(({ name, host, bytes }) => ({
      id: `register-${name}`,
      type: 'endpoint.registered',
      data: { name, host, database: name, sizeBytes: bytes, labels: { fleet: 'bench' } },
    })),
  );
  const names = fleet.endpoints.map(({ name }) => endpointName(name));
  await eventually('the endpoints to be registered', patienceMs, () => operator.placements(names));
}

/** The id of the request for everything. */
export const fleetRequest = 'move-the-fleet';

export const movedOf = ({ counts }: Pick<Batch, 'counts'>): number =>
  (counts.moved ?? 0) + (counts.retired ?? 0);

/** Asks for everything to be moved by one request, and waits until that is done. @throws FleetFailed */
export async function moveAll(
  operator: FleetOperator,
  fleet: Fleet,
  options: Patience,
  say: (line: string) => void,
): Promise<Batch> {
  const id = fleetRequest;
  const patienceMs = options.minutes * 60_000;
  const data = {
    reason: 'fleet run',
    labels: { fleet: 'bench' },
    policy: { retention: 0 },
  };
  await operator.publish('RequestsTopicArn', [{ id, type: 'batch-move.requested', data }]);
  const accepted = await operator.batchOf(id, patienceMs);
  say(`${accepted.id}: moving ${String(fleet.endpoints.length)} endpoints …`);
  let last = '';
  return await eventually(`batch ${accepted.id} to be completed`, patienceMs, async () => {
    const batch = await operator.store.load('batch', { id: accepted.id });
    const counts = JSON.stringify(batch?.counts ?? {});
    if (counts !== last) say(`  ${batch?.state ?? '?'} ${counts}`);
    last = counts;
    return batch?.state === 'completed' ? batch : undefined;
  });
}
