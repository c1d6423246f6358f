import { Alarm } from '../alarms/alarm.ts';
import type { MetricStore } from '../metrics/metric-store.ts';
import type { ServicePackage } from '../packaging/package.ts';
import type { CloudDescription, EngineOptions } from '../protocol.ts';
import { RestApi } from '../api/rest-api.ts';
import type { ApiKeys } from '../api/keys.ts';
import type { ApiServer } from '../api/server.ts';
import type { TableCaller } from '../api/table-caller.ts';
import { provisionAlarms } from '../provision/alarms.ts';
import { provisionApis, type ApiStageSpec } from '../provision/apis.ts';
import { provisionBuckets } from '../provision/buckets.ts';
import type { ProvisionClients } from '../provision/clients.ts';
import { provisionFunctions } from '../provision/functions.ts';
import { provisionMappings } from '../provision/mappings.ts';
import { provisionQueues } from '../provision/queues.ts';
import { provisionSchedules } from '../provision/schedules.ts';
import { provisionSecrets } from '../provision/secrets.ts';
import { provisionTables, type ProvisionedTable } from '../provision/tables.ts';
import { provisionTopics } from '../provision/topics.ts';
import type { AwsJsonClient } from '../servers/aws-json.ts';
import type { SecretsServer } from '../servers/secrets.ts';
import type { WriteMeter } from '../servers/write-meter.ts';
import type { BucketNotification } from '../sources/bucket-events.ts';
import type { Destinations } from '../sources/destinations.ts';
import { Schedule } from '../sources/schedule.ts';
import type { Signal } from '../sources/signal.ts';
import { StreamReader } from '../sources/stream-reader.ts';
import { createStack, type Stack } from '../template/stack.ts';
import { readTemplate } from '../template/template.ts';
import type { ApiAddress } from '../state-dir.ts';
import { notEmulated } from './emulated.ts';
import type { FunctionRegistry } from './functions.ts';
import type { SourceRegistry } from './sources.ts';

/** What a deployment works with. */
export interface DeploymentOptions {
  readonly options: EngineOptions;
  readonly clients: ProvisionClients;
  readonly secrets: SecretsServer;
  readonly meter: WriteMeter;
  readonly streams: AwsJsonClient;
  readonly written: Signal;
  readonly functions: FunctionRegistry;
  readonly sources: SourceRegistry;
  readonly destinations: Destinations;
  readonly metrics: MetricStore;
  readonly queueEndpoint: string;
  readonly apiServer: ApiServer;
  readonly apiKeys: ApiKeys;
  readonly table: TableCaller;
  readonly onTrouble: (text: string) => void;
}

/** The template as it is deployed now. Applying another one changes what differs. */
export class Deployment {
  readonly #options: DeploymentOptions;
  readonly #meterReaders = new Map<string, StreamReader>();
  #stack: Stack | undefined;
  #notifications: readonly BucketNotification[] = [];
  #schedules: readonly Schedule[] = [];
  #alarms: readonly Alarm[] = [];
  #apis: readonly ApiStageSpec[] = [];
  #refused: CloudDescription['notEmulated'] = [];

  constructor(options: DeploymentOptions) {
    this.#options = options;
  }

  get notifications(): readonly BucketNotification[] {
    return this.#notifications;
  }

  get schedules(): readonly Schedule[] {
    return this.#schedules;
  }

  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  get outputs(): Record<string, string> {
    const outputs = this.#stack?.outputs() ?? {};
    return Object.fromEntries(Object.entries(outputs).map(([name, text]) => [name, this.#here(text)]));
  }

  /** Of the first API there is: its address on this machine, and a key to it. */
  get api(): ApiAddress | undefined {
    const [first] = this.#apis;
    const [key] = first?.keys.keys() ?? [];
    return first === undefined || key === undefined ? undefined : { url: this.#urlOf(first), key };
  }

  /** Brings resources, functions, sources and schedules to a package. Answers the names of changed functions. */
  async apply(service: ServicePackage): Promise<string[]> {
    const { clients, functions, sources, secrets, destinations, options } = this.#options;
    const stack = createStack({
      template: await readTemplate(service.templatePath),
      stackName: service.stackName,
      region: service.region,
      queueEndpoint: this.#options.queueEndpoint,
    });
    const [tables, notifications, refused] = await Promise.all([
      provisionTables(stack, clients),
      provisionBuckets(stack, clients),
      provisionQueues(stack, clients).then(() => provisionTopics(stack, clients)),
      provisionSecrets(stack, secrets),
    ]);
    for (const table of tables) await this.#meter(table);
    const changed = functions.apply(provisionFunctions(stack, service));
    this.#stack = stack;
    this.#notifications = notifications;
    this.#refused = refused.map(({ Protocol, Endpoint }) => ({
      type: `AWS::SNS::Subscription (${Protocol})`,
      logicalIds: [Endpoint],
    }));
    await sources.apply(provisionMappings(stack, tables));
    await this.#serveApis(stack);
    this.stopSchedules();
    this.#schedules = provisionSchedules(stack).map(
      (spec) => new Schedule(spec, (arn, body) => destinations.deliver(arn, body)),
    );
    for (const schedule of this.#schedules) schedule.start(options.scheduleSpeed);
    const kept = this.#watchAlarms(stack);
    this.#refused = [...this.#refused, ...kept];
    return changed;
  }

  describe(): Omit<CloudDescription, 'env' | 'metrics'> {
    return {
      outputs: this.outputs,
      ...(this.api === undefined ? {} : { api: this.api }),
      functions: [...this.#options.functions.pools.values()].map(({ spec }) => ({
        logicalId: spec.logicalId,
        name: spec.name,
        memoryMb: spec.memoryMb,
      })),
      schedules: this.#schedules.map(({ spec }) => ({
        logicalId: spec.logicalId,
        name: spec.name,
        expression: spec.expression,
      })),
      notEmulated: [...(this.#stack === undefined ? [] : notEmulated(this.#stack)), ...this.#refused],
    };
  }

  stopSchedules(): void {
    for (const schedule of this.#schedules) schedule.stop();
    for (const alarm of this.#alarms) alarm.stop();
  }

  async #serveApis(stack: Stack): Promise<void> {
    const { apiServer, apiKeys, table, functions, onTrouble } = this.#options;
    this.#apis = await provisionApis(stack, apiKeys);
    apiServer.serve(
      new Map(
        this.#apis.map(({ stage, definition, variables, keys }) => [
          stage,
          new RestApi({
            definition,
            stage,
            stageVariables: variables,
            keys,
            call: (action, body) => table.call(action, body),
            invoke: (arn, payload) => functions.invoke(arn, payload, true),
            onTrouble,
          }),
        ]),
      ),
    );
  }

  #urlOf({ stage }: ApiStageSpec): string {
    return `${this.#options.apiServer.endpoint}/${stage}`;
  }

  /** What leads to an API in the region leads to the one on this machine. */
  #here(text: string): string {
    return this.#apis.reduce(
      (at, { apiId }) =>
        at.startsWith(`https://${apiId}.execute-api.`)
          ? at.replace(/^https:\/\/[^/]+/, this.#options.apiServer.endpoint)
          : at,
      text,
    );
  }

  /** @returns those of a form that is not run here */
  #watchAlarms(stack: Stack): CloudDescription['notEmulated'] {
    const { metrics, destinations, options } = this.#options;
    const { specs, refused } = provisionAlarms(stack);
    this.#alarms = specs.map((spec) => {
      metrics.watch(spec.series, (spec.periods + 1) * spec.periodMs);
      return new Alarm(spec, metrics, (arn, body) => destinations.deliver(arn, body));
    });
    for (const alarm of this.#alarms) alarm.start(options.scheduleSpeed);
    return refused.length === 0
      ? []
      : [{ type: 'AWS::CloudWatch::Alarm (of another form)', logicalIds: [...refused] }];
  }

  stop(): void {
    this.stopSchedules();
    for (const reader of this.#meterReaders.values()) reader.stop();
  }

  /** With a limit per key, the table's own stream tells which index keys each write touched. */
  async #meter(table: ProvisionedTable): Promise<void> {
    const { meter, streams, written } = this.#options;
    const { shape, streamArn } = table;
    meter.know(shape);
    if (!meter.limits || this.#meterReaders.has(streamArn)) return;
    const reader = new StreamReader({
      client: streams,
      streamArn,
      written,
      batchSize: 1000,
      windowMs: 0,
      startAt: () => ({ type: 'LATEST' }),
      handle: (_shardId, records) => {
        for (const { dynamodb } of records) meter.observe(shape.name, dynamodb.OldImage, dynamodb.NewImage);
        return Promise.resolve();
      },
    });
    this.#meterReaders.set(streamArn, reader);
    await reader.start();
  }
}
