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
import type { EventHead, Refusal } from '../shared/domain/event.ts';
import type { Explanation } from '../shared/domain/explain.ts';
import { isBatchId, type MoveId } from '../shared/domain/ids.ts';
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
import { anyNetwork } from '../shared/runtime/host-networks.ts';
import { explainNamed, type ExplainedKind } from '../shared/workflow/explain/explain-named.ts';
import { explainBatchNow } from '../shared/workflow/explain/explain.ts';
import type { SiteServices } from '../shared/workflow/host-site.ts';
import { settingsFor } from './client-settings.ts';
import { createDeadLetters, type DeadLetters } from './dead-letters.ts';
import type { Installation } from './installation.ts';
import { createManifestBox, type ManifestBox } from './manifest-box.ts';
import { pastHours } from './past-hours.ts';
import { createVault, type Vault } from './vault.ts';

export type Topic = 'requests' | 'host-changes';

/** Where it is kept what becomes of a request. Without a hash whatever stands there is it. */
export type Place = Pick<EventHead, 'source' | 'id'> & Partial<Pick<EventHead, 'bodyHash'>>;

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
  /** An operator goes to hosts from where they sit, by their own right. */
  readonly settings: SiteServices['settings'];
  /** @throws StepFailure `driver-unknown` */
  readonly driver: (name: string) => Promise<HostDriver>;
  /** Moves that were made in the last so many milliseconds and the hour in which that begins, newest first. */
  movesSince(ms: number): Promise<readonly MoveId[]>;
  /** What goes on with something, and why it does not; undefined: there is no such thing. */
  explain(kind: ExplainedKind, id: string): Promise<Explanation | undefined>;
  /**
   * Hands in the text of an event.
   * @returns where it will stand what becomes of it, or why it was not taken at all
   * @throws StoreUnavailable, CliError
   */
  publish(topic: Topic, head: EventHead, text: string): Promise<Place | { readonly refusal: Refusal }>;
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
  // What is listed is read in many small groups: more lanes, less waiting.
  const store = createStore({ ...basis, onceClient: once, lanes: 4 });
  const views = createViews({ query: createQuery(basis), clock: machineClock });
  const services = { store, views, clock: machineClock, calendar: machineCalendar };
  return {
    installation,
    store,
    views,
    journal: createJournal(basis),
    blobs: createBlobs({ client: s3, bucket: names.claimsBucket }),
    manifests: createManifestBox({ client: s3, bucket: names.manifestsBucket }),
    secrets: createSecrets({ client: secrets }),
    vault: createVault(secrets),
    // Queues are called after the table.
    deadLetters: createDeadLetters({ client: sqs, prefix: names.table }),
    ...fate,
    calendar: machineCalendar,
    settings: { hostNetworks: anyNetwork },
    driver: driverRegistry(shippedDrivers),
    movesSince: async (ms) => pastHours(machineClock, ms, (hour, cursor) => views.movesAt(hour, cursor)),
    explain: async (kind, id) =>
      // All moves of a batch, however many: nobody waits for an answer of a function.
      kind === 'batches' && isBatchId(id) ? explainBatchNow(services, id) : explainNamed(services, kind, id),
    async publish(topic, head, text) {
      try {
        await sns.send(
          new PublishCommand({
            TopicArn: topics[topic],
            Message: text,
            MessageAttributes: { type: { DataType: 'String', StringValue: head.type } },
          }),
        );
        return head;
      } catch (error) {
        throw asPortError(error, `the topic ${topic}`);
      }
    },
    close() {
      for (const client of [dynamo, once, s3, sns, sqs, secrets]) client.destroy();
    },
  };
}
