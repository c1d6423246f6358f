import { setTimeout as delay } from 'node:timers/promises';
import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns';
import { createDynamoClient, createDynamoOnceClient, createSnsClient } from '../shared/aws/clients.ts';
import { createStore } from '../shared/aws/store.ts';
import type { Batch } from '../shared/domain/batch.ts';
import type { EndpointName } from '../shared/domain/ids.ts';
import type { JsonObject } from '../shared/domain/json.ts';
import type { Placement } from '../shared/domain/placement.ts';
import { StoreUnavailable } from '../shared/ports/failures.ts';
import type { Store } from '../shared/ports/store.ts';
import { machineChance } from '../shared/runtime/chance.ts';
import { machineClock } from '../shared/runtime/clock.ts';
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
  readonly #outputs: Cloud['outputs'];
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
    this.store = createStore({
      client: createDynamoClient(of('DYNAMODB')),
      onceClient: createDynamoOnceClient(of('DYNAMODB')),
      table: outputs['TableName'] ?? '',
      clock: machineClock,
      chance: machineChance,
    });
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

  close(): void {
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
