import { setTimeout as delay } from 'node:timers/promises';
import { GetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { createDynamoClient, createDynamoOnceClient, createSnsClient } from '../shared/aws/clients.ts';
import { codecs, toRow } from '../shared/aws/layout.ts';
import { createQuery } from '../shared/aws/rows-query.ts';
import { createStore } from '../shared/aws/store.ts';
import { createViews } from '../shared/aws/views.ts';
import { keyItem } from '../shared/aws/wire.ts';
import type { Batch } from '../shared/domain/batch.ts';
import type { BatchId, EndpointName } from '../shared/domain/ids.ts';
import type { JsonObject } from '../shared/domain/json.ts';
import type { Placement } from '../shared/domain/placement.ts';
import { StoreUnavailable } from '../shared/ports/failures.ts';
import type { Store, Views } from '../shared/ports/store.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { machineClock } from '../shared/runtime/clock.ts';
import { everyPage } from '../shared/workflow/every-page.ts';
import type { Cloud } from '../local/cloud.ts';

/** What came of something that was waited for too long. */
export class FleetFailed extends Error {
  override readonly name = 'FleetFailed';
}

export interface FleetEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
}

const source = 'bench/fleet';
/** The most that one publish takes. */
const publishAtOnce = 10;
const loadAtOnce = 100;

/** Someone outside: publishes events as any AWS client would, and reads the table. */
export class FleetOperator {
  readonly #sns: SNSClient;
  readonly #dynamo: DynamoDBClient;
  readonly #outputs: Cloud['outputs'];
  readonly #views: Views;
  readonly store: Store;

  constructor({ env, outputs }: Cloud) {
    const of = (service: string) => ({
      region: env['AWS_REGION'] ?? 'eu-central-1',
      endpoint: env[`AWS_ENDPOINT_URL_${service}`] ?? '',
      credentials: {
        accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
    this.#outputs = outputs;
    this.#sns = createSnsClient(of('SNS'));
    this.#dynamo = createDynamoClient(of('DYNAMODB'));
    const basis = {
      client: this.#dynamo,
      table: outputs['TableName'] ?? '',
      clock: machineClock,
      chance: machineChance,
    };
    this.#views = createViews({ query: createQuery(basis), clock: machineClock });
    this.store = createStore({ ...basis, onceClient: createDynamoOnceClient(of('DYNAMODB')) });
  }

  async publish(
    topic: 'RequestsTopicArn' | 'HostChangesTopicArn',
    events: readonly FleetEvent[],
  ): Promise<void> {
    for (let from = 0; from < events.length; from += publishAtOnce) {
      const some = events.slice(from, from + publishAtOnce);
      const { Failed } = await this.#sns.send(
        new PublishBatchCommand({
          TopicArn: this.#outputs[topic],
          PublishBatchRequestEntries: some.map(({ id, type, data }, index) => ({
            Id: String(index),
            Message: JSON.stringify({ specversion: '1.0', source, id, type, data }),
          })),
        }),
      );
      if (Failed !== undefined && Failed.length > 0)
        throw new FleetFailed(`not published: ${Failed[0]?.Message ?? ''}`);
    }
  }

  /** The batch that a request led to. @throws FleetFailed when it was refused */
  async batchOf(id: string, patienceMs: number): Promise<Batch> {
    return await eventually(`request ${id} to be accepted`, patienceMs, async () => {
      const request = await this.store.load('request', { source, id });
      if (request?.outcome.kind === 'refused') {
        const { sentence, cure } = request.outcome.failure;
        throw new FleetFailed(`the request was refused: ${sentence} ${cure}`);
      }
      const batch = request?.outcome.kind === 'accepted' ? request.outcome.batch : undefined;
      return batch === undefined ? undefined : await this.store.load('batch', { id: batch });
    });
  }

  /** @returns undefined while one of them is not registered */
  async placements(endpoints: readonly EndpointName[]): Promise<Placement[] | undefined> {
    const found: Placement[] = [];
    for (let from = 0; from < endpoints.length; from += loadAtOnce) {
      const keys = endpoints.slice(from, from + loadAtOnce).map((endpoint) => ({ endpoint }));
      const rows = await this.store.loadMany('endpoint', keys);
      for (const row of rows) {
        if (row === undefined) return undefined;
        found.push(row);
      }
    }
    return found;
  }

  /** Attributes of moves' rows that this release does not know, and in how many rows of the batch they stand. */
  async unknownAttributes(batch: BatchId): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    for (const { id } of await everyPage((cursor) => this.#views.movesOf(batch, undefined, cursor))) {
      const key = keyItem(codecs.move.key({ id }));
      const TableName = this.#outputs['TableName'];
      const { Item = {} } = await this.#dynamo.send(
        new GetItemCommand({ TableName, Key: key, ConsistentRead: true }),
      );
      const move = await this.store.load('move', { id });
      const known = new Set(['commitId', ...(move === undefined ? [] : Object.keys(toRow('move', move)))]);
      for (const name of Object.keys(Item).filter((each) => !known.has(each)))
        found[name] = (found[name] ?? 0) + 1;
    }
    return found;
  }

  close(): void {
    this.#dynamo.destroy();
    this.#sns.destroy();
  }
}

/** Asks until there is an answer. @throws FleetFailed when there is none in time */
export async function eventually<T>(
  what: string,
  patienceMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const until = machineClock.now() + patienceMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      // A busy table is asked again.
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    });
    if (answer !== undefined) return answer;
    if (machineClock.now() > until)
      throw new FleetFailed(`waited ${String(patienceMs / 1000)} s in vain for ${what}`);
    await delay(250);
  }
}
