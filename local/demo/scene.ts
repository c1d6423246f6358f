/**
 * Everything that a run needs, for real: the embedded cloud, PostgreSQL servers that are its hosts, tenants'
 * databases that are its endpoints, writers that find them by name.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BatchSnapshot } from '../../shared/workflow/explain/batch-snapshot.ts';
import { startCloud } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { auditLedger } from './audit.ts';
import { compareCatalogs, compareContent, describeCatalog, hashTables, isUnwritten } from './content.ts';
import type { ContentHashes, DatabaseAddress } from './content.ts';
import { Fleet } from './fleet.ts';
import { startServer } from './servers.ts';
import type { PostgresServer, ServerOptions } from './servers.ts';
import type { Result } from './summary.ts';
import { createRoles, createTenants } from './tenants.ts';
import type { Tenant } from './tenants.ts';
import { WritersProcess } from './writers-process.ts';

export interface SceneOptions {
  /** All on the first host. */
  readonly tenants: readonly Tenant[];
  /** Hosts by name; default three of npm's PostgreSQL 18. */
  readonly hosts?: readonly (Pick<ServerOptions, 'name'> & Partial<ServerOptions>)[];
  /** Default 2 for each tenant; 0 for none. */
  readonly writersPerTenant?: number;
  /** Transactions a second of each writer; default 15. */
  readonly rate?: number;
  /** Parameters of the stage to override. */
  readonly params?: Readonly<Record<string, string>>;
  /** Functions tell what they do, for `dray trace`. */
  readonly traces?: boolean;
  /** Where the embedded cloud keeps its state; default: a folder that goes with the scene. */
  readonly stateDir?: string;
  /** Hears what is being done, for people. */
  readonly say?: (line: string) => void;
}

/** What a tenant's database held before anything moved. */
interface Original {
  readonly bytes: number;
  readonly hashes: ContentHashes;
  readonly catalog: readonly string[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Slots for four moves at once: on two cores, more would only make each of them slower. */
const settings = { max_replication_slots: 16, max_wal_senders: 16, max_active_replication_origins: 16 };
const THREE_HOSTS = ['host-a', 'host-b', 'host-c'].map((name) => ({ name, settings }));

export class Scene {
  readonly cloud: Cloud;
  readonly fleet: Fleet;
  readonly servers: readonly PostgresServer[];
  readonly tenants: readonly Tenant[];
  readonly folder: string;
  readonly #originals: ReadonlyMap<string, Original>;
  readonly #options: SceneOptions;
  #writers: WritersProcess | undefined;

  private constructor(
    options: SceneOptions,
    folder: string,
    cloud: Cloud,
    servers: readonly PostgresServer[],
    originals: ReadonlyMap<string, Original>,
  ) {
    this.cloud = cloud;
    this.fleet = new Fleet(cloud);
    this.servers = servers;
    this.tenants = options.tenants;
    this.folder = folder;
    this.#originals = originals;
    this.#options = options;
  }

  /** Starts everything but the writers. What was started is stopped again when something fails. */
  static async set(options: SceneOptions): Promise<Scene> {
    const say = options.say ?? (() => undefined);
    const folder = mkdtempSync(path.join(tmpdir(), 'drayage-demo-'));
    chmodSync(folder, 0o755);
    const hosts = options.hosts ?? THREE_HOSTS;
    const starting = Promise.allSettled([
      startCloud({
        root: ROOT,
        stateDir: options.stateDir ?? path.join(folder, 'cloud'),
        // What goes with the scene need not survive it.
        inMemory: options.stateDir === undefined,
        params: options.params ?? {},
        ...(options.traces === true ? { traces: {} } : {}),
        onNotice: say,
      }),
      raiseServers(folder, hosts, options.tenants, say),
    ]);
    const [cloud, raised] = await starting;
    try {
      if (cloud.status === 'rejected') throw cloud.reason;
      if (raised.status === 'rejected') throw raised.reason;
      const scene = new Scene(options, folder, cloud.value, raised.value.servers, raised.value.originals);
      await scene.#register();
      say('hosts and endpoints registered');
      return scene;
    } catch (error) {
      if (cloud.status === 'fulfilled') await cloud.value.stop();
      if (raised.status === 'fulfilled')
        await Promise.all(raised.value.servers.map((server) => server.remove()));
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async startWriters(): Promise<WritersProcess> {
    this.#writers ??= await WritersProcess.start(this.tenants, {
      locator: this.fleet.locator,
      perTenant: this.#options.writersPerTenant ?? 2,
      rate: this.#options.rate ?? 15,
    });
    return this.#writers;
  }

  /** The server that is a host; throws for a name that is none. */
  server(name: string): PostgresServer {
    const server = this.servers.find((each) => each.name === name);
    if (server === undefined) throw new Error(`there is no server ${name}`);
    return server;
  }

  /** How a superuser reaches an endpoint's database where it is now. */
  async addressOf(tenant: Tenant): Promise<DatabaseAddress> {
    const placement = await this.fleet.placement(tenant.name);
    if (placement === undefined) throw new Error(`there is no endpoint ${tenant.name}`);
    return { ...this.server(placement.host).address, database: placement.database };
  }

  /**
   * Stops the writers and compares, for each endpoint, histories, contents and catalog with what is where it
   * is now.
   * @param since when the moves began, in milliseconds since the epoch: pauses are looked for from then on
   * @param crashed hosts have crashed in between: what is unlogged may be empty
   */
  async check({ moves }: Pick<BatchSnapshot, 'moves'>, since: number, crashed = false): Promise<Result[]> {
    const gaps = await this.#writers?.longestGaps(since);
    const histories = await this.#writers?.stop();
    this.#writers = undefined;
    const results: Result[] = [];
    for (const move of moves) {
      const tenant = this.tenants.find(({ name }) => name === move.endpoint);
      const original = this.#originals.get(move.endpoint);
      if (tenant === undefined || original === undefined)
        throw new Error(`${move.endpoint} is no tenant of ours`);
      const address = await this.addressOf(tenant);
      const audit = await auditLedger(address, histories?.get(tenant.name) ?? []);
      const differences = [
        ...compareContent(original.hashes, await hashTables(address, isUnwritten), crashed),
        ...compareCatalogs(original.catalog, await describeCatalog(address)),
      ];
      const pausesMs = (gaps?.get(tenant.name) ?? []).map((gap) => gap.ms);
      results.push({ move, bytes: original.bytes, pausesMs, audit, differences });
    }
    return results;
  }

  /** Ends everything and removes what it left. */
  async strike(): Promise<void> {
    await this.#writers?.stop().catch(() => undefined);
    await this.cloud.stop();
    await Promise.all(this.servers.map((server) => server.remove()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #register(): Promise<void> {
    await Promise.all(
      this.servers.map((server, at) => this.fleet.addHost(server, `zone-${(at + 1).toString()}`)),
    );
    const [first] = this.servers;
    if (first === undefined) throw new Error('a scene needs a host');
    await Promise.all(
      this.tenants.map((tenant) =>
        this.fleet.addEndpoint(tenant, first.name, this.#originals.get(tenant.name)?.bytes ?? 0),
      ),
    );
  }
}

/** Servers, roles on each, and on the first one every tenant's database. */
async function raiseServers(
  folder: string,
  hosts: NonNullable<SceneOptions['hosts']>,
  tenants: readonly Tenant[],
  say: (line: string) => void,
): Promise<{ servers: PostgresServer[]; originals: Map<string, Original> }> {
  const started = await Promise.allSettled(hosts.map((host) => startServer({ folder, ...host })));
  const servers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  try {
    for (const start of started) if (start.status === 'rejected') throw start.reason;
    for (const server of servers) {
      say(
        `PostgreSQL ${server.major.toString()} host ${server.name} on 127.0.0.1:${server.address.port.toString()}`,
      );
    }
    const [first, ...others] = servers;
    if (first === undefined) throw new Error('a scene needs a host');
    await Promise.all(others.map((server) => createRoles(server, tenants)));
    const sizes = await createTenants(first, tenants);
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    say(`${tenants.length.toString()} databases on ${first.name}, ${(total / 1e6).toFixed(0)} MB`);
    const originals = new Map<string, Original>();
    for (const [at, tenant] of tenants.entries()) {
      const address = { ...first.address, database: tenant.database };
      originals.set(tenant.name, {
        bytes: sizes[at] ?? 0,
        hashes: await hashTables(address, isUnwritten),
        catalog: await describeCatalog(address),
      });
    }
    return { servers, originals };
  } catch (error) {
    await Promise.all(servers.map((server) => server.remove()));
    throw error;
  }
}
