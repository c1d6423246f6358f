/**
 * What an ordinary publisher and an ordinary client do: events to SNS with an AWS SDK client of their own, and
 * the table read for what became of them.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { z } from 'zod';
import { createDynamoClient } from '../../shared/aws/clients.ts';
import { createQuery } from '../../shared/aws/rows-query.ts';
import { createStore } from '../../shared/aws/store.ts';
import { createViews } from '../../shared/aws/views.ts';
import { endpointName } from '../../shared/domain/ids.ts';
import type { BatchId } from '../../shared/domain/ids.ts';
import type { Json } from '../../shared/domain/json.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Store, Views } from '../../shared/ports/store.ts';
import { machineCalendar } from '../../shared/runtime/calendar.ts';
import { machineChance } from '../../shared/runtime/chance.ts';
import { machineClock } from '../../shared/runtime/clock.ts';
import type { ExplainServices } from '../../shared/workflow/explain/outlook.ts';
import type { Locate } from './session.ts';
import type { PostgresServer } from './servers.ts';
import type { Locator } from './writers-protocol.ts';
import type { Tenant } from './tenants.ts';

/** What an installation says of itself: variables for an AWS SDK, and the stack's outputs. */
export interface Installation {
  readonly env: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

export type Topic = 'requests' | 'host-changes';
export type Outcome = RequestRecord['outcome'];

/** Who publishes: stands in every event. */
const SOURCE = '/drayage/demo';
/** How long, in milliseconds, an event may take until its outcome is known. */
const OUTCOME_LIMIT_MS = 60_000;
/** The most that SNS takes in one call. */
const MOST_AT_ONCE = 10;

const eventText = (type: string, data: Json, id: string): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source: SOURCE,
    type,
    time: new Date().toISOString(),
    data,
  });

const environment = z.object({
  AWS_REGION: z.string().optional(),
  AWS_DEFAULT_REGION: z.string().optional(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
  AWS_ENDPOINT_URL: z.string().optional(),
  AWS_ENDPOINT_URL_DYNAMODB: z.string().optional(),
  AWS_ENDPOINT_URL_SNS: z.string().optional(),
  AWS_ENDPOINT_URL_SECRETS_MANAGER: z.string().optional(),
});
type Service = 'DYNAMODB' | 'SNS' | 'SECRETS_MANAGER';

/** Settings of an SDK client, from the variables that `dray env` prints. */
function clientSettings(
  env: Installation['env'],
  service: Service,
): { region: string; endpoint?: string; credentials: { accessKeyId: string; secretAccessKey: string } } {
  const known = environment.parse(env);
  const endpoint = known[`AWS_ENDPOINT_URL_${service}`] ?? known.AWS_ENDPOINT_URL;
  return {
    region: known.AWS_REGION ?? known.AWS_DEFAULT_REGION ?? 'eu-central-1',
    credentials: { accessKeyId: known.AWS_ACCESS_KEY_ID, secretAccessKey: known.AWS_SECRET_ACCESS_KEY },
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function openStore(env: Installation['env'], table: string): { store: Store; views: Views } {
  const client = createDynamoClient(clientSettings(env, 'DYNAMODB'));
  const fate = { clock: machineClock, chance: machineChance };
  return {
    store: createStore({ client, onceClient: client, table, ...fate }),
    views: createViews({ query: createQuery({ client, table }), clock: machineClock }),
  };
}

const locatorConfig = z.object({ env: z.record(z.string(), z.string()), table: z.string() });

/**
 * Finds endpoints by name, as a client of an installation does; processes of writers load it by its URL.
 * @public
 */
export function createLocate(config: unknown): Locate {
  const { env, table } = locatorConfig.parse(config);
  return locateIn(openStore(env, table).store);
}

function locateIn(store: Store): Locate {
  // Where a host is reached hardly ever changes; which host serves an endpoint is asked each time.
  const addresses = new Map<string, Promise<string>>();
  return async (endpoint) => {
    const placement = await store.load('endpoint', { endpoint: endpointName(endpoint) });
    if (placement === undefined) throw new Error(`there is no endpoint ${endpoint}`);
    let address = addresses.get(placement.host);
    if (address === undefined) {
      address = store.load('host', { name: placement.host }).then((host) => {
        if (host === undefined) throw new Error(`there is no host ${placement.host}`);
        return host.clientAddress;
      });
      addresses.set(placement.host, address);
      address.catch(() => addresses.delete(placement.host));
    }
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(await address) ?? [];
    return { host, port: Number(port), database: placement.database };
  };
}

/** An installation with its hosts and endpoints, from outside. */
export class Fleet {
  readonly installation: Installation;
  readonly locate: Locate;
  readonly #sns: SNSClient;
  readonly #secrets: SecretsManagerClient;
  /** The table as it is, for those who look on. */
  readonly services: ExplainServices;

  constructor(installation: Installation) {
    this.installation = installation;
    const { env } = installation;
    this.#sns = new SNSClient(clientSettings(env, 'SNS'));
    this.#secrets = new SecretsManagerClient(clientSettings(env, 'SECRETS_MANAGER'));
    const { store, views } = openStore(env, this.#output('TableName'));
    this.services = { store, views, clock: machineClock, calendar: machineCalendar };
    this.locate = locateIn(store);
  }

  /** The same look-up, for a process of writers. */
  get locator(): Locator {
    return {
      module: import.meta.url,
      config: { env: { ...this.installation.env }, table: this.#output('TableName') },
    };
  }

  /** Publishes one CloudEvent; @returns its id. The same id again is the same event. */
  async publish(topic: Topic, type: string, data: Json, id: string = randomUUID()): Promise<string> {
    await this.#sns.send(
      new PublishCommand({ TopicArn: this.#topicArn(topic), Message: eventText(type, data, id) }),
    );
    return id;
  }

  /** Publishes a CloudEvent of each, as many at once as SNS takes. */
  async publishAll(topic: Topic, type: string, all: readonly Json[]): Promise<void> {
    for (let at = 0; at < all.length; at += MOST_AT_ONCE) {
      const { Failed } = await this.#sns.send(
        new PublishBatchCommand({
          TopicArn: this.#topicArn(topic),
          PublishBatchRequestEntries: all
            .slice(at, at + MOST_AT_ONCE)
            .map((data, nth) => ({ Id: String(nth), Message: eventText(type, data, randomUUID()) })),
        }),
      );
      const [failed] = Failed ?? [];
      if (failed !== undefined) throw new Error(`not published: ${failed.Message ?? ''}`);
    }
  }

  /** What became of an event; waits until it is known. */
  async outcome(id: string): Promise<Outcome> {
    const deadline = performance.now() + OUTCOME_LIMIT_MS;
    for (;;) {
      const request = await this.services.store.load('request', { source: SOURCE, id });
      if (request !== undefined && request.outcome.kind !== 'pending') return request.outcome;
      if (performance.now() > deadline) throw new Error(`event ${id} has no outcome after a minute`);
      await sleep(50);
    }
  }

  /** Makes a server a host: its password as a secret, its address in an event. */
  async addHost(server: PostgresServer, zone: string, name = server.name): Promise<void> {
    const { host, port, user, password } = server.address;
    const secret = `drayage/${this.#stage}/hosts/${name}`;
    await this.#secrets.send(new CreateSecretCommand({ Name: secret, SecretString: password }));
    const url = `postgres://${user}@${host}:${port.toString()}/postgres`;
    await this.#carryOut('host-changes', 'host.registered', { name, driver: 'postgres', url, secret, zone });
  }

  /** Makes a tenant's database an endpoint. */
  async addEndpoint(tenant: Tenant, host: string, sizeBytes: number): Promise<void> {
    const { name, database } = tenant;
    await this.#carryOut('requests', 'endpoint.registered', { name, host, database, sizeBytes });
  }

  /** Asks for a host to be emptied; @returns the batch that does it. */
  async drain(
    host: string,
    reason: string,
    more: { readonly target?: string; readonly policy?: Json } = {},
  ): Promise<BatchId> {
    return this.#carryOutBatch('host-changes', 'host.draining', { host, reason, ...more });
  }

  /** Asks for endpoints to be moved; @returns the batch that does it. */
  async move(
    endpoints: readonly string[],
    target: string,
    reason: string,
    more: { readonly policy?: Json } = {},
  ): Promise<BatchId> {
    return this.#carryOutBatch('requests', 'batch-move.requested', { endpoints, target, reason, ...more });
  }

  async placement(endpoint: string): Promise<Placement | undefined> {
    return this.services.store.load('endpoint', { endpoint: endpointName(endpoint) });
  }

  #topicArn(topic: Topic): string {
    return this.#output(topic === 'requests' ? 'RequestsTopicArn' : 'HostChangesTopicArn');
  }

  get #stage(): string {
    return this.#output('TableName').replace(/^drayage-/, '');
  }

  #output(name: string): string {
    const value = this.installation.outputs[name];
    if (value === undefined) throw new Error(`the installation has no output ${name}`);
    return value;
  }

  async #carryOut(topic: Topic, type: string, data: Json): Promise<Extract<Outcome, { kind: 'accepted' }>> {
    const outcome = await this.outcome(await this.publish(topic, type, data));
    if (outcome.kind === 'accepted') return outcome;
    if (outcome.kind === 'pending') throw new Error(`${type} is still pending`);
    const { code, sentence, cure } = outcome.failure;
    throw new Error(`${type} was refused: ${sentence} (${code}); ${cure}`);
  }

  async #carryOutBatch(topic: Topic, type: string, data: Json): Promise<BatchId> {
    const { batch } = await this.#carryOut(topic, type, data);
    if (batch === undefined) throw new Error(`${type} made no batch`);
    return batch;
  }
}
