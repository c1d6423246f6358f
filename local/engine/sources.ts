import type { FunctionRegistry } from './functions.ts';
import type { ProvisionedMapping } from '../provision/mappings.ts';
import type { AwsJsonClient } from '../servers/aws-json.ts';
import type { MessagingServer } from '../servers/messaging.ts';
import type { Checkpoints } from '../sources/checkpoints.ts';
import type { Destinations } from '../sources/destinations.ts';
import { QueueSource } from '../sources/queue-source.ts';
import type { Signal } from '../sources/signal.ts';
import { StreamSource } from '../sources/stream-source.ts';

/** What event sources work with. */
export interface SourceRegistryOptions {
  readonly functions: FunctionRegistry;
  readonly messaging: MessagingServer;
  readonly sqs: AwsJsonClient;
  readonly streams: AwsJsonClient;
  readonly written: Signal;
  readonly checkpoints: Checkpoints;
  readonly destinations: Destinations;
}

interface Running {
  readonly functionId: string;
  readonly identity: string;
  readonly source: QueueSource | StreamSource;
}

/** The event-source mappings of a cloud, by logical id. */
export class SourceRegistry {
  readonly #options: SourceRegistryOptions;
  #running = new Map<string, Running>();

  constructor(options: SourceRegistryOptions) {
    this.#options = options;
  }

  get running(): ReadonlyMap<string, Running> {
    return this.#running;
  }

  /** Takes the mappings of a template: unchanged ones run on, the others are stopped, started or restarted. */
  async apply(mappings: readonly ProvisionedMapping[]): Promise<void> {
    const wanted = new Map(mappings.map((mapping) => [mapping.mapping.logicalId, mapping]));
    const leaving = [...this.#running].filter(
      ([id, { identity }]) => identity !== JSON.stringify(wanted.get(id)),
    );
    if (leaving.length > 0) await this.#end(leaving.map(([, { source }]) => source));
    for (const [id] of leaving) this.#running.delete(id);
    for (const [id, mapping] of wanted) {
      if (this.#running.has(id)) continue;
      const source = this.#create(mapping);
      this.#running.set(id, { functionId: mapping.functionId, identity: JSON.stringify(mapping), source });
      await source.start();
    }
  }

  /** Receives no more, ends the long polls, and resolves when every loop has left; invocations may still run. */
  stop(): { quiet: Promise<void> } {
    const sources = [...this.#running.values()].map(({ source }) => source);
    for (const source of sources) source.stop();
    this.#options.messaging.release();
    return { quiet: Promise.all(sources.map((source) => source.quiet())).then(() => undefined) };
  }

  async #end(sources: readonly (QueueSource | StreamSource)[]): Promise<void> {
    for (const source of sources) source.stop();
    this.#options.messaging.release();
    for (const source of sources) if (source instanceof QueueSource) await source.left();
    this.#options.messaging.resume();
    for (const source of sources) if (source instanceof StreamSource) await source.quiet();
  }

  #create(mapping: ProvisionedMapping): QueueSource | StreamSource {
    const { functions, sqs, streams, written, checkpoints, destinations } = this.#options;
    const pool = functions.pool(mapping.functionId);
    return mapping.kind === 'queue'
      ? new QueueSource(mapping.mapping, sqs, pool)
      : new StreamSource({ mapping: mapping.mapping, streams, pool, written, checkpoints, destinations });
  }
}
