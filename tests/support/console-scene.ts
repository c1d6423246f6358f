import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCloud, type Cloud } from '../../local/cloud.ts';
import { startConsole } from '../../local/console/console.ts';
import type { ConsoleServer } from '../../local/console/server.ts';
import { Fleet, type Topic } from '../../local/demo/fleet.ts';
import { makeFleet, type FleetSpec } from '../../local/simulated/fleet.ts';
import { startSimulatedServer, type SimulatedServer } from '../../local/simulated/server.ts';
import type { Json } from '../../shared/domain/json.ts';

export const root = join(import.meta.dirname, '..', '..');

/** An embedded cloud with simulated hosts, and the console that shows them. */
export class ConsoleScene {
  readonly cloud: Cloud;
  readonly fleet: Fleet;
  readonly page: ConsoleServer;
  readonly #simulated: SimulatedServer;

  private constructor(cloud: Cloud, page: ConsoleServer, simulated: SimulatedServer) {
    this.cloud = cloud;
    this.fleet = new Fleet(cloud);
    this.page = page;
    this.#simulated = simulated;
  }

  /** @param capacityBytes of each host */
  static async set(spec: FleetSpec, capacityBytes: number): Promise<ConsoleScene> {
    const simulated = await startSimulatedServer();
    const { hosts, endpoints } = makeFleet(simulated.network, spec, Date.now());
    const stateDir = mkdtempSync(join(tmpdir(), 'drayage-console-'));
    const cloud = await startCloud({ root, stateDir, inMemory: true, onNotice: () => undefined });
    const scene = new ConsoleScene(cloud, await startConsole({ root, cloud }), simulated);
    for (const [at, name] of hosts.entries()) {
      const zone = `z${String((at % 3) + 1)}`;
      const data = { name, driver: 'simulated', url: simulated.url(name), zone, capacityBytes };
      await scene.carryOut('host-changes', 'host.registered', data);
    }
    await Promise.all(
      endpoints.map(async ({ name, host, bytes: sizeBytes }) =>
        scene.carryOut('requests', 'endpoint.registered', { name, host, database: name, sizeBytes }),
      ),
    );
    return scene;
  }

  /** Publishes an event and waits until it is accepted. @throws Error when it is refused */
  async carryOut(topic: Topic, type: string, data: Json): Promise<void> {
    const outcome = await this.fleet.outcome(await this.fleet.publish(topic, type, data));
    if (outcome.kind === 'refused') throw new Error(`${type}: ${outcome.failure.sentence}`);
  }

  async strike(): Promise<void> {
    await this.page.stop();
    await this.cloud.stop();
    await this.#simulated.close();
    rmSync(this.cloud.stateDir, { recursive: true, force: true });
  }
}
