import { fileURLToPath } from 'node:url';
import { CloudError, messageOf } from '../cloud-error.ts';
import { figuresIn } from '../metrics/embedded.ts';
import { MetricStore } from '../metrics/metric-store.ts';
import { OpenMetrics } from '../metrics/open-metrics.ts';
import { metrics as meanings } from '../../shared/ports/meter.ts';
import { packageService, type ServicePackage } from '../packaging/package.ts';
import { watchSources, type SourceWatch } from '../packaging/watch.ts';
import type { CloudDescription, CloudStats, EngineOptions, EnvironmentView } from '../protocol.ts';
import { createProvisionClients } from '../provision/clients.ts';
import { openApiKeys } from '../api/keys.ts';
import { startApiServer } from '../api/server.ts';
import { createTableCaller } from '../api/table-caller.ts';
import { createAwsJsonClient } from '../servers/aws-json.ts';
import { CallLog } from '../servers/call-log.ts';
import { startGateway, type InvokeAnswer } from '../servers/gateway.ts';
import type { ObjectChange } from '../servers/messaging-protocol.ts';
import { openSecrets } from '../servers/secrets.ts';
import { WriteMeter } from '../servers/write-meter.ts';
import { objectEvent, targetsOf } from '../sources/bucket-events.ts';
import { openCheckpoints } from '../sources/checkpoints.ts';
import { createDestinations } from '../sources/destinations.ts';
import { Signal } from '../sources/signal.ts';
import { SpanLog } from '../traces/span-log.ts';
import { openStateDir, writeRecord } from '../state-dir.ts';
import { Deployment } from './deployment.ts';
import { countFunctions } from './function-figures.ts';
import { FunctionLogs } from './function-logs.ts';
import { FunctionRegistry } from './functions.ts';
import { startDataServers } from './servers.ts';
import { SourceRegistry } from './sources.ts';
import { clientVariables, sharedVariables } from './variables.ts';

/** A running cloud, inside its own process. */
export interface Engine {
  describe(): CloudDescription;
  environments(): EnvironmentView[];
  stats(): CloudStats;
  fire(schedule: string): Promise<void>;
  invoke(functionName: string, payload: string, waits: boolean): Promise<InvokeAnswer>;
  /** Answers the names of changed functions. */
  deploy(root: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** Who hears what happens in the engine. */
export interface EngineListener {
  /** Something a person wants to read: packaging, a reload. */
  notice(text: string): void;
  /** A line that a function wrote. */
  line(functionName: string, line: string): void;
  /** The cloud cannot go on. */
  fatal(message: string): void;
}

/** How long invocations may finish when the cloud stops; then they are killed, as by a crash. */
const STOP_GRACE_MS = 1500;

/** Starts a cloud: package, servers, resources, functions, event sources. Throws `CloudError`. */
export async function startEngine(options: EngineOptions, listener: EngineListener): Promise<Engine> {
  const { dir, lock } = await openStateDir(options.stateDir);
  if (options.inMemory) await dir.forget();
  const makePackage = (root: string): Promise<ServicePackage> =>
    packageService({
      root,
      stage: options.stage,
      params: options.params,
      onPackaging: () => {
        listener.notice(`Packaging ${root} (sls package, some seconds; the result is kept) …`);
      },
    });

  const service = await makePackage(options.root);
  const { region } = service;
  const deployed: Deployment[] = [];
  let stopping = false;

  const onObject = (change: ObjectChange): void => {
    for (const target of targetsOf(
      deployed.flatMap(({ notifications }) => notifications),
      change,
    )) {
      destinations.deliver(target, JSON.stringify(objectEvent(change, region))).catch((error: unknown) => {
        listener.notice(
          `An event of bucket ${change.bucket} could not be delivered to ${target}: ${messageOf(error)}`,
        );
      });
    }
  };
  const servers = await startDataServers(options, dir, region, {
    object: onObject,
    death: (reason) => {
      if (!stopping) listener.fatal(reason);
    },
  });

  const { messaging, dynamo, gatewayPort, messagingPort, apiPort } = servers;
  const sqs = createAwsJsonClient(messaging.endpoint, region, 'sqs');
  const streams = createAwsJsonClient(dynamo.endpoint, region, 'dynamodb');
  const secrets = await openSecrets(dir.secrets, region);
  const meter = new WriteMeter(options.writeLimitPerKey, options.meterInDetail);
  const written = new Signal();
  const metrics = new MetricStore();
  const exposition = new OpenMetrics(meanings);
  const checkpoints = await openCheckpoints(dir.checkpoints);
  const logs = new FunctionLogs(dir, options.forwardLogs ? listener : undefined);

  const gatewayEndpoint = `http://127.0.0.1:${String(gatewayPort)}`;
  const env = clientVariables(region, gatewayEndpoint, messaging.endpoint);
  const functions = new FunctionRegistry({
    bootstrap: fileURLToPath(new URL('../lambda/bootstrap.ts', import.meta.url)),
    shared: sharedVariables(env, dir.temporary),
    overriding: {
      ...(options.traces === undefined ? {} : { TRACE_ENDPOINT: `http://127.0.0.1:${String(apiPort)}` }),
      ...options.functionVariables,
    },
    defaultConcurrency: options.defaultConcurrency,
    idleLimitMs: options.idleSeconds * 1000,
    onLine: (name, line) => {
      for (const figures of figuresIn(line)) {
        metrics.add(figures);
        exposition.add(figures);
      }
      logs.write(name, line);
    },
  });
  const destinations = createDestinations({
    sqs,
    messagingEndpoint: messaging.endpoint,
    region,
    invoke: (arn, payload) => {
      functions.invoke(arn, payload, false).catch((error: unknown) => {
        listener.notice(messageOf(error));
      });
    },
  });
  functions.deliverFailuresTo((arn, body) => destinations.deliver(arn, body));

  const gateway = await startGateway({
    port: gatewayPort,
    dynamoEndpoint: dynamo.endpoint,
    messagingEndpoint: messaging.endpoint,
    secrets,
    meter,
    calls: CallLog.open(region),
    onWrite: () => {
      written.ring();
    },
    invoke: (name, payload, waits) => functions.invoke(name, payload, waits),
  });

  const spans =
    options.traces === undefined
      ? undefined
      : new SpanLog(await dir.openLog('spans'), options.traces.alsoTo, (text) => {
          listener.notice(text);
        });
  const figures = (): string => {
    countFunctions(exposition, functions.pools.values());
    return exposition.text(Date.now());
  };
  const apiServer = await startApiServer(apiPort, {
    figures,
    ...(spans === undefined
      ? {}
      : {
          spans: (body: string) => {
            spans.take(body);
          },
        }),
  });
  // By way of the gateway: what is written wakes those who read the stream.
  const table = createTableCaller(gatewayEndpoint, region);
  const clients = createProvisionClients(region, {
    dynamodb: dynamo.endpoint,
    messaging: messaging.endpoint,
  });
  const sources = new SourceRegistry({
    functions,
    messaging,
    sqs,
    streams,
    written,
    checkpoints,
    destinations,
  });
  const deployment = new Deployment({
    options,
    clients,
    secrets,
    meter,
    streams,
    written,
    functions,
    sources,
    destinations,
    metrics,
    queueEndpoint: messaging.endpoint,
    apiServer,
    apiKeys: await openApiKeys(dir.apiKeys),
    table,
    onTrouble: (text) => {
      process.stderr.write(`API: ${text}\n`);
    },
  });
  deployed.push(deployment);
  await deployment.apply(service);

  const record = async (): Promise<void> => {
    await writeRecord(options.stateDir, {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      stage: options.stage,
      gatewayPort,
      messagingPort,
      apiPort,
      env,
      outputs: deployment.outputs,
      ...(deployment.api === undefined ? {} : { api: deployment.api }),
    });
  };
  await record();

  const deploy = async (root: string): Promise<string[]> => {
    const changed = await deployment.apply(await makePackage(root));
    await record();
    return changed;
  };

  const watch: SourceWatch | undefined = options.watch
    ? watchSources(options.root, async () => {
        try {
          const changed = await deploy(options.root);
          listener.notice(
            changed.length === 0 ? 'Reloaded: no function changed.' : `Reloaded: ${changed.join(', ')}.`,
          );
        } catch (error) {
          listener.notice(`Not reloaded, the last good version runs on: ${messageOf(error)}`);
        }
      })
    : undefined;

  async function shutDown(): Promise<void> {
    stopping = true;
    await watch?.stop();
    deployment.stop();
    const { quiet } = sources.stop();
    const grace = setTimeout(() => {
      functions.stop();
    }, STOP_GRACE_MS);
    await quiet;
    clearTimeout(grace);
    functions.stop();
    await checkpoints.flush();
    await apiServer.stop();
    await gateway.stop();
    for (const client of [sqs, streams, clients, table]) client.close();
    await Promise.all([messaging.stop(), dynamo.stop()]);
    logs.close();
    spans?.close();
    lock.release();
  }

  let stopped: Promise<void> | undefined;
  return {
    describe: () => ({ env, metrics: apiServer.metrics, ...deployment.describe() }),
    environments: () => functions.environments(),
    stats: () => {
      const use = Object.fromEntries([...functions.pools].map(([id, pool]) => [id, pool.use]));
      const passed = Object.fromEntries(
        [...sources.running].map(([id, { functionId, source }]) => [id, { functionId, ...source.use }]),
      );
      return {
        functions: use,
        sources: passed,
        tables: meter.use(),
        ...(meter.hottest === undefined ? {} : { hottestKey: meter.hottest }),
        functionCpuMs: Object.values(use).reduce((sum, { cpuMs }) => sum + cpuMs, 0),
        messages: Object.values(passed).reduce((sum, { messages }) => sum + messages, 0),
      };
    },
    fire: async (name) => {
      const isNamed = ({ spec }: { readonly spec: Record<'logicalId' | 'name' | 'arn', string> }): boolean =>
        [spec.logicalId, spec.name, spec.arn].includes(name);
      const alarm = deployment.alarms.find(isNamed);
      if (alarm !== undefined) {
        await alarm.evaluate(Date.now());
        return;
      }
      const schedule = deployment.schedules.find(isNamed);
      if (schedule === undefined)
        throw new CloudError('ScheduleUnknown', `The template has no schedule and no alarm ${name}.`);
      await schedule.fire();
    },
    invoke: (name, payload, waits) => functions.invoke(name, payload, waits),
    deploy,
    stop: () => (stopped ??= shutDown()),
  };
}
