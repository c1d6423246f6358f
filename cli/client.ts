import { PublishCommand } from '@aws-sdk/client-sns';
import { createBlobs } from '../shared/aws/blobs.ts';
import {
  createDynamoClient,
  createDynamoOnceClient,
  createS3Client,
  createSecretsClient,
  createSnsClient,
  createSqsClient,
} from '../shared/aws/clients.ts';
import { createJournal } from '../shared/aws/journal.ts';
import { createQuery } from '../shared/aws/rows-query.ts';
import { createSecrets } from '../shared/aws/secrets.ts';
import { createStore } from '../shared/aws/store.ts';
import { asPortError } from '../shared/aws/trouble.ts';
import { createViews } from '../shared/aws/views.ts';
import type { Blobs } from '../shared/ports/blobs.ts';
import type { Calendar } from '../shared/ports/calendar.ts';
import type { Chance, Clock } from '../shared/ports/clock.ts';
import type { HostDriver } from '../shared/ports/driver.ts';
import type { Secrets } from '../shared/ports/secrets.ts';
import type { Journal, Store, Views } from '../shared/ports/store.ts';
import { machineCalendar } from '../shared/runtime/calendar.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { machineClock } from '../shared/runtime/clock.ts';
import { driverRegistry, shippedDrivers } from '../shared/runtime/drivers.ts';
import { settingsFor } from './client-settings.ts';
import { createDeadLetters, type DeadLetters } from './dead-letters.ts';
import type { Installation } from './installation.ts';
import { createManifestBox, type ManifestBox } from './manifest-box.ts';
import { createVault, type Vault } from './vault.ts';

export type Topic = 'requests' | 'host-changes';

/** All that commands do to an installation, and see of it. */
export interface Client {
  readonly installation: Installation;
  readonly store: Store;
  readonly views: Views;
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly manifests: ManifestBox;
  readonly secrets: Secrets;
  readonly vault: Vault;
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly chance: Chance;
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<HostDriver>;
  /** Publishes the text of an event of a type. @throws StoreUnavailable */
  publish(topic: Topic, type: string, text: string): Promise<void>;
  /** Closes its connections. */
  close(): void;
}

/** Nothing is connected until it is needed. */
export function createClient(installation: Installation): Client {
  const { env, names } = installation;
  const fate = { clock: machineClock, chance: machineChance };
  const dynamo = createDynamoClient(settingsFor(env, 'DYNAMODB'));
  const once = createDynamoOnceClient(settingsFor(env, 'DYNAMODB'));
  const s3 = createS3Client(settingsFor(env, 'S3'));
  const sns = createSnsClient(settingsFor(env, 'SNS'));
  const sqs = createSqsClient(settingsFor(env, 'SQS'));
  const secrets = createSecretsClient(settingsFor(env, 'SECRETS_MANAGER'));
  const basis = { client: dynamo, table: names.table, ...fate };
  const topics: Readonly<Record<Topic, string>> = {
    requests: names.requestsTopic,
    'host-changes': names.hostChangesTopic,
  };
  return {
    installation,
    // What is listed is read in many small groups: more lanes, less waiting.
    store: createStore({ ...basis, onceClient: once, lanes: 4 }),
    views: createViews({ query: createQuery(basis), clock: machineClock }),
    journal: createJournal(basis),
    blobs: createBlobs({ client: s3, bucket: names.claimsBucket }),
    manifests: createManifestBox({ client: s3, bucket: names.manifestsBucket }),
    secrets: createSecrets({ client: secrets }),
    vault: createVault(secrets),
    // Queues are called after the table.
    deadLetters: createDeadLetters({ client: sqs, prefix: names.table }),
    ...fate,
    calendar: machineCalendar,
    driver: driverRegistry(shippedDrivers),
    async publish(topic, type, text) {
      try {
        await sns.send(
          new PublishCommand({
            TopicArn: topics[topic],
            Message: text,
            MessageAttributes: { type: { DataType: 'String', StringValue: type } },
          }),
        );
      } catch (error) {
        throw asPortError(error, `the topic ${topic}`);
      }
    },
    close() {
      for (const client of [dynamo, once, s3, sns, sqs, secrets]) client.destroy();
    },
  };
}
