import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { startCloud, type Cloud } from '../../local/cloud.ts';
import { Fleet } from '../../local/demo/fleet.ts';
import { startServer, type PostgresServer } from '../../local/demo/servers.ts';
import { createRoles, createTenant, planTenant, type Tenant } from '../../local/demo/tenants.ts';
import { startHostProxy, type HostProxy } from './host-proxy.ts';
import type { Sentry } from './passage.ts';
import { startTableProxy, type TableProxy } from './table-proxy.ts';

/** Milliseconds: shorter than the embedded cloud's own, so that a takeover comes soon. */
export const LEASE_MS = 2_000;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const settings = { max_replication_slots: 8, max_wal_senders: 8, max_active_replication_origins: 8 };

/**
 * One embedded cloud and two PostgreSQL hosts with one tenant. Functions reach the table and the hosts through
 * proxies, whose sentry sees every write and every statement; everybody else goes straight.
 */
export class Ground {
  readonly cloud: Cloud;
  readonly fleet: Fleet;
  readonly tenant: Tenant;
  readonly servers: readonly PostgresServer[];
  readonly folder: string;
  readonly #proxies: readonly (HostProxy | TableProxy)[];

  private constructor(parts: {
    readonly cloud: Cloud;
    readonly fleet: Fleet;
    readonly tenant: Tenant;
    readonly servers: readonly PostgresServer[];
    readonly folder: string;
    readonly proxies: readonly (HostProxy | TableProxy)[];
  }) {
    this.cloud = parts.cloud;
    this.fleet = parts.fleet;
    this.tenant = parts.tenant;
    this.servers = parts.servers;
    this.folder = parts.folder;
    this.#proxies = parts.proxies;
  }

  /** Starts everything; what was started is stopped again when something fails. */
  static async lay(sentry: Sentry): Promise<Ground> {
    const folder = mkdtempSync(path.join(tmpdir(), 'drayage-matrix-'));
    chmodSync(folder, 0o755);
    const undo: (() => Promise<unknown>)[] = [];
    const started = async <T>(thing: Promise<T>, stop: (thing: T) => Promise<unknown>): Promise<T> => {
      const it = await thing;
      undo.push(async () => stop(it));
      return it;
    };
    try {
      const table = await started(startTableProxy(sentry), (proxy) => proxy.close());
      const starting = started(
        startCloud({
          root: ROOT,
          stateDir: path.join(folder, 'cloud'),
          inMemory: true,
          onNotice: () => undefined,
          functionVariables: {
            AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
            LEASE_MS_TRANSFER: String(LEASE_MS),
            LEASE_MS_CUTOVER: String(LEASE_MS),
            LEASE_MS_RETIRE: String(LEASE_MS),
            LEASE_MS_ROLLBACK: String(LEASE_MS),
          },
        }),
        (cloud) => cloud.stop(),
      );
      const raising = ['a', 'b'].map((name) =>
        started(startServer({ folder, name, settings }), (server) => server.remove()),
      );
      await Promise.allSettled([starting, ...raising]);
      const [cloud, servers] = [await starting, await Promise.all(raising)];
      table.forwardTo(cloud.env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
      const tenant = planTenant('cell', { shop: 1, counters: 0 });
      const fleet = new Fleet(cloud);
      const proxies: (HostProxy | TableProxy)[] = [table];
      for (const server of servers) {
        await createRoles(server, [tenant]);
        const proxy = await started(startHostProxy(server.name, server.address, sentry), (it) => it.close());
        proxies.push(proxy);
        await register(cloud, fleet, server, proxy.port);
      }
      const [first] = servers;
      if (first === undefined) throw new RangeError('no host');
      await fleet.addEndpoint(tenant, first.name, await createTenant(first, tenant));
      return new Ground({ cloud, fleet, tenant, servers, folder, proxies });
    } catch (error) {
      for (const stop of undo.reverse()) await stop().catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The server that is a host. */
  readonly server = (name: string): PostgresServer => {
    const found = this.servers.find((server) => server.name === name);
    if (found === undefined) throw new RangeError(`no host ${name}`);
    return found;
  };

  /** Stops everything and removes what it left. */
  async clear(): Promise<void> {
    await this.cloud.stop();
    await Promise.all(this.servers.map((server) => server.remove()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The mover's way in leads through the proxy; clients and the other host go straight. */
async function register(cloud: Cloud, fleet: Fleet, server: PostgresServer, port: number): Promise<void> {
  const { env, outputs } = cloud;
  const { host, user, password } = server.address;
  const secret = `${outputs['TableName'] ?? ''}/hosts/${server.name}`.replace('drayage-', 'drayage/');
  const secrets = new SecretsManagerClient({
    region: env['AWS_REGION'] ?? '',
    endpoint: env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? '',
    credentials: {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
  await secrets.send(new CreateSecretCommand({ Name: secret, SecretString: password }));
  secrets.destroy();
  const direct = `${host}:${String(server.address.port)}`;
  const id = await fleet.publish('host-changes', 'host.registered', {
    name: server.name,
    driver: 'postgres',
    url: `postgres://${user}@127.0.0.1:${String(port)}/postgres`,
    replicationAddress: direct,
    clientAddress: direct,
    secret,
    zone: `zone-${server.name}`,
  });
  const outcome = await fleet.outcome(id);
  if (outcome.kind !== 'accepted') throw new Error(`host ${server.name}: ${JSON.stringify(outcome)}`);
}
