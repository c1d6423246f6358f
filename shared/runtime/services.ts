import type { AlarmOwner } from '../contracts/events/alarm-notification.ts';
import { createBlobs } from '../aws/blobs.ts';
import { createBus } from '../aws/bus.ts';
import {
  createDynamoClient,
  createDynamoOnceClient,
  createS3Client,
  createSecretsClient,
  createSnsClient,
  createSqsClient,
} from '../aws/clients.ts';
import { createJournal } from '../aws/journal.ts';
import { createPermits } from '../aws/permits.ts';
import { createQuery } from '../aws/rows-query.ts';
import { createSecrets } from '../aws/secrets.ts';
import { createStore } from '../aws/store.ts';
import { createViews } from '../aws/views.ts';
import type { Services, Settings } from '../workflow/services.ts';
import { machineCalendar } from './calendar.ts';
import { machineChance } from './chance.ts';
import { machineClock } from './clock.ts';
import type { Config } from './config.ts';
import { here } from './here.ts';
import { hostNetworks } from './host-networks.ts';
import { logOf } from './log.ts';
import { platform } from './platform.ts';

/** Functions that touch hosts have a part of their drivers beside it: their bundles carry no more. */
export type SharedServices = Omit<Services, 'driver'>;

let made: SharedServices | undefined;

/** What functions work with. Made once in each process, when first asked for. */
export function services(): SharedServices {
  made ??= createServices();
  return made;
}

/** Whose alarms are listened to. */
export function alarmOwner(): AlarmOwner {
  const { STAGE, alarms } = platform().config;
  return { stage: STAGE, ...alarms };
}

/** The composition root: the only place where the ports get their adapters. */
function createServices(): SharedServices {
  const { config, logger, meter, tracer } = platform();
  const table = config.TABLE_NAME;
  const clients = { local: config.isEmbedded };
  const fate = { clock: machineClock, chance: machineChance };
  const basis = { client: createDynamoClient(clients), table, ...fate };
  return {
    store: createStore({ ...basis, onceClient: createDynamoOnceClient(clients) }),
    permits: createPermits(basis),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
    journal: createJournal(basis),
    blobs: createBlobs({ client: createS3Client(clients), bucket: config.CLAIMS_BUCKET }),
    bus: createBus({
      sqs: createSqsClient(clients),
      sns: createSnsClient(clients),
      queues: queuesOf(config),
      announcements: config.ANNOUNCEMENTS_TOPIC_ARN,
      notifications: config.NOTIFICATIONS_TOPIC_ARN,
      requests: config.REQUESTS_TOPIC_ARN,
      hostChanges: config.HOST_CHANGES_TOPIC_ARN,
      source: `drayage/${config.STAGE}`,
      here,
      ...fate,
    }),
    secrets: createSecrets({ client: createSecretsClient(clients) }),
    ...fate,
    calendar: machineCalendar,
    log: logOf(logger),
    meter,
    tracer,
    settings: settingsOf(config),
  };
}

const queuesOf = (config: Config) => ({
  transfer: config.TRANSFER_QUEUE_URL,
  cutover: config.CUTOVER_QUEUE_URL,
  retire: config.RETIRE_QUEUE_URL,
  rollback: config.ROLLBACK_QUEUE_URL,
  plan: config.PLAN_QUEUE_URL,
  dispatch: config.DISPATCH_QUEUE_URL,
  hostSweep: config.HOST_SWEEP_QUEUE_URL,
});

const settingsOf = (config: Config): Settings => ({
  installation: config.INSTALLATION,
  leaseMs: {
    transfer: config.LEASE_MS_TRANSFER,
    cutover: config.LEASE_MS_CUTOVER,
    retire: config.LEASE_MS_RETIRE,
    rollback: config.LEASE_MS_ROLLBACK,
  },
  slowStoreMs: config.SLOW_STORE_MS,
  patienceMs: config.PATIENCE_MS,
  freshMs: config.FRESH_MS,
  hostNetworks: hostNetworks(config.HOST_NETWORKS, config.isEmbedded),
  ...(config.HEALING_RETENTION_MS === undefined ? {} : { healingRetentionMs: config.HEALING_RETENTION_MS }),
  alarms: { hostDimensions: config.ALARM_HOST_DIMENSIONS, failedSuffixes: config.ALARM_FAILED_SUFFIXES },
  scaling: config.SCALING,
});
