/** What the fleet's demonstration stands on: the embedded cloud, many simulated hosts, and real PostgreSQL ones. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { explainSnapshot } from '../../shared/workflow/explain/explain.ts';
import { readBatch } from '../../shared/workflow/explain/look-at-batch.ts';
import type { Explanation } from '../../shared/domain/explain.ts';
import { endpointName, hostName, type BatchId, type HostName } from '../../shared/domain/ids.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { Json } from '../../shared/domain/json.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { Refusal } from '../../shared/domain/event.ts';
import { Scene } from '../demo/scene.ts';
import type { Tenant } from '../demo/tenants.ts';
import { makeFleet, type Fleet as SimulatedFleet } from '../simulated/fleet.ts';
import { startSimulatedServer, type SimulatedServer } from '../simulated/server.ts';

export interface StageOptions {
  readonly hosts: number;
  readonly endpoints: number;
  readonly tenants: readonly Tenant[];
  readonly say: (line: string) => void;
}

/** How many events are on their way at once. */
const abreast = 24;
const readAtOnce = 500;
const fewAtOnce = 25;
const lookEveryMs = 1_000;
const patienceMs = 600_000;
const newsEveryMs = 15_000;
const capacityBytes = 1_000_000_000;
const zones = 3;
/** The hosts that the acts empty are small ones, so that it takes minutes; the fleet around them is as large as it is. */
const small = { hosts: 5, endpoints: 30 };

/** Everything that the acts play on. */
export class Stage {
  readonly scene: Scene;
  readonly simulated: SimulatedServer;
  readonly fleet: SimulatedFleet;
  readonly say: (line: string) => void;
  readonly #sns: SNSClient;
  readonly #s3: S3Client;

  private constructor(scene: Scene, simulated: SimulatedServer, fleet: SimulatedFleet, say: Stage['say']) {
    this.scene = scene;
    this.simulated = simulated;
    this.fleet = fleet;
    this.say = say;
    const of = (service: string) => ({
      region: scene.cloud.env['AWS_REGION'] ?? 'eu-central-1',
      endpoint: scene.cloud.env[`AWS_ENDPOINT_URL_${service}`] ?? '',
      credentials: {
        accessKeyId: scene.cloud.env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: scene.cloud.env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
    this.#sns = new SNSClient(of('SNS'));
    this.#s3 = new S3Client({ ...of('S3'), forcePathStyle: true });
  }

  /** Starts everything and registers all hosts and endpoints. */
  static async set({ hosts, endpoints, tenants, say }: StageOptions): Promise<Stage> {
    const scene = await Scene.set({ tenants, writersPerTenant: 1, rate: 5, say });
    const simulated = await startSimulatedServer();
    const fleet = makeFleet(simulated.network, { hosts, endpoints, small }, Date.now());
    const stage = new Stage(scene, simulated, fleet, say);
    try {
      say(`registering ${String(hosts)} simulated hosts and ${String(endpoints)} endpoints …`);
      await stage.#register();
    } catch (error) {
      await stage.strike();
      throw error;
    }
    return stage;
  }

  async #register(): Promise<void> {
    const { scene, simulated, fleet } = this;
    await this.#each(fleet.hosts, async (name, index) => {
      const zone = `sim-zone-${String((index % zones) + 1)}`;
      const data = { name, driver: 'simulated', url: simulated.url(name), zone, capacityBytes };
      await this.carryOut('host-changes', 'host.registered', data);
    });
    await scene.fleet.publishAll(
      'requests',
      'endpoint.registered',
      fleet.endpoints.map(({ name, host, bytes }) => ({
        name,
        host,
        database: name,
        sizeBytes: bytes,
        labels: { kind: 'simulated' },
      })),
    );
    const missing = fleet.endpoints.map(({ name }) => name);
    await this.until('all endpoints to be registered', async () => {
      while (missing.length > 0) {
        // A few at a time: who asks for all of them again and again keeps the table from its work.
        const some = missing.slice(-fewAtOnce);
        const found = await this.placements(some);
        if (found.some((placement) => placement === undefined)) return false;
        missing.length -= some.length;
      }
      return true;
    });
  }

  /** In the order of their names; undefined where an endpoint is not registered. */
  async placements(names: readonly string[]): Promise<readonly (Placement | undefined)[]> {
    const { store } = this.scene.fleet.services;
    const found: (Placement | undefined)[] = [];
    for (let at = 0; at < names.length; at += readAtOnce) {
      const keys = names.slice(at, at + readAtOnce).map((name) => ({ endpoint: endpointName(name) }));
      found.push(...(await store.loadMany('endpoint', keys)));
    }
    return found;
  }

  async #each<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
    const queue = [...items.entries()].reverse();
    const lane = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) await work(next[1], next[0]);
    };
    await Promise.all(Array.from({ length: abreast }, lane));
  }

  /** Publishes an event and waits for what becomes of it. @throws Error when it is refused */
  async carryOut(
    topic: 'requests' | 'host-changes',
    type: string,
    data: Json,
  ): Promise<{ readonly batch?: BatchId }> {
    const outcome = await this.outcome(topic, type, data);
    if ('code' in outcome) throw new Error(`${type} was refused: ${outcome.sentence} ${outcome.cure}`);
    return outcome;
  }

  async outcome(
    topic: 'requests' | 'host-changes',
    type: string,
    data: Json,
  ): Promise<{ readonly batch?: BatchId } | Refusal> {
    const { fleet } = this.scene;
    const outcome = await fleet.outcome(await fleet.publish(topic, type, data));
    if (outcome.kind === 'refused') return outcome.failure;
    return outcome.kind === 'accepted' && outcome.batch !== undefined ? { batch: outcome.batch } : {};
  }

  /** The same for what makes a batch. */
  async batch(topic: 'requests' | 'host-changes', type: string, data: Json): Promise<BatchId> {
    const { batch } = await this.carryOut(topic, type, data);
    if (batch === undefined) throw new Error(`${type} made no batch`);
    return batch;
  }

  /** Sends a text to a topic of the stack, as CloudWatch does. */
  async tell(output: string, message: Json): Promise<void> {
    const TopicArn = this.scene.cloud.outputs[output];
    await this.#sns.send(new PublishCommand({ TopicArn, Message: JSON.stringify(message) }));
  }

  /** Puts a file into the manifests bucket. */
  async put(key: string, body: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    const Bucket = this.scene.cloud.outputs['ManifestsBucketName'];
    await this.#s3.send(new PutObjectCommand({ Bucket, Key: key, Body: body, Metadata: { ...metadata } }));
  }

  async host(name: string): Promise<Host> {
    const host = await this.scene.fleet.services.store.load('host', { name: hostName(name) });
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  /** Endpoints that are on a host by the table. */
  async endpointsOn(name: HostName): Promise<number> {
    let found = 0;
    let cursor: string | undefined;
    do {
      const page = await this.scene.fleet.services.views.endpointsOn(name, cursor);
      found += page.items.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found;
  }

  /** What `dray explain` says of a batch. */
  async explain(id: BatchId): Promise<Explanation & { readonly state: string }> {
    const { services } = this.scene.fleet;
    const snapshot = await readBatch(services, id);
    if (snapshot === undefined) throw new Error(`there is no batch ${id}`);
    return { ...(await explainSnapshot(services, snapshot)), state: snapshot.batch.state };
  }

  async isCompleted(id: BatchId): Promise<boolean> {
    const batch = await this.scene.fleet.services.store.load('batch', { id });
    return batch?.state === 'completed';
  }

  /** Asks until it is so, and says now and then what goes on meanwhile. @throws Error after ten minutes */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const began = performance.now();
    let told = began;
    while (!(await isSo())) {
      const now = performance.now();
      if (now - began > patienceMs) throw new Error(`waited ten minutes in vain for ${what}`);
      if (now - told > newsEveryMs) {
        for (const line of await this.news()) this.say(line);
        told = now;
      }
      await sleep(lookEveryMs);
    }
  }

  /** Of each batch that has not ended: how far it is, and what most of its moves wait for. */
  async news(): Promise<readonly string[]> {
    const { views, store } = this.scene.fleet.services;
    const lines: string[] = [];
    for (const id of await everyPage((cursor) => views.batches(cursor))) {
      const batch = await store.load('batch', { id });
      if (batch === undefined || batch.state === 'completed') continue;
      const [worst] = (await this.explain(id)).blockers;
      const { counts, total = 0 } = batch;
      const settled = (counts.moved ?? 0) + (counts.retired ?? 0) + (counts['rolled-back'] ?? 0);
      const why = worst === undefined ? '' : `; ${String(worst.moves)} wait for ${worst.on}`;
      lines.push(`${batch.reason}: ${String(settled)} of ${String(total)}${why}`);
    }
    return lines;
  }

  async strike(): Promise<void> {
    this.#sns.destroy();
    this.#s3.destroy();
    await this.simulated.close();
    await this.scene.strike();
  }
}
