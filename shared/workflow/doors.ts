import type { Batch } from '../domain/batch.ts';
import type { Fleet } from '../domain/fleet.ts';
import { mayBegin, type Closed } from '../domain/gate.ts';
import type { Host } from '../domain/host.ts';
import type { BatchId, HostName } from '../domain/ids.ts';
import type { WaitingMove } from '../ports/store.ts';
import { tellMove, type TellServices } from './commands/tell-move.ts';
import { loadReadable } from './each-apart.ts';
import type { Services } from './services.ts';

type DoorServices = TellServices & Pick<Services, 'log'>;

/** How long a move is put off that nothing else brings back sooner. */
const putOffMs = 900_000;

/**
 * What people have said of moves that are in line, as one look of the dispatcher sees it: each batch is read once.
 * What holds back a whole batch or host costs its moves nothing; a move that is held back by itself leaves the line,
 * so that it stands before no other.
 */
export class Doors {
  readonly #services: DoorServices;
  readonly #fleet: Fleet;
  readonly #hosts: ReadonlyMap<HostName, Host>;
  readonly #batches = new Map<BatchId, Promise<Batch | undefined>>();

  constructor(services: DoorServices, fleet: Fleet, hosts: readonly Host[]) {
    this.#services = services;
    this.#fleet = fleet;
    this.#hosts = new Map(hosts.map((host) => [host.name, host]));
  }

  /** Those of these moves whose batch and hosts nobody holds back. */
  async open(moves: readonly WaitingMove[]): Promise<readonly WaitingMove[]> {
    const gates = await Promise.all(moves.map(async (move) => this.#ofAll(move)));
    return moves.filter((_, index) => gates[index] === undefined);
  }

  /** May it begin, as far as it is held back by itself? One that may not is put off. */
  async mayBegin(waiting: WaitingMove): Promise<boolean> {
    const gate = await this.#ofOne(waiting);
    if (gate === undefined) return true;
    const until = gate.opensAt ?? this.#services.clock.now() + putOffMs;
    const fact = { kind: 'put-off', code: gate.code, on: gate.on, until } as const;
    await tellMove(this.#services, waiting.id, () => fact, 'dispatch-moves');
    return false;
  }

  async #ofAll({ batch, source, target }: WaitingMove): Promise<Closed | undefined> {
    const hosts = [source, target].flatMap((name) => this.#hosts.get(name) ?? []);
    const scene = { fleet: this.#fleet, batch: await this.#batch(batch), hosts };
    const gate = mayBegin(scene, this.#services.clock.now());
    return gate.kind === 'closed' ? gate : undefined;
  }

  async #ofOne({ id }: WaitingMove): Promise<Closed | undefined> {
    const [move] = await loadReadable(this.#services, 'move', [{ id }]);
    if (move === undefined || move === 'unreadable') return undefined;
    const [placement] = await loadReadable(this.#services, 'endpoint', [{ endpoint: move.endpoint }]);
    if (placement === undefined || placement === 'unreadable') return undefined;
    const gate = mayBegin({ fleet: {}, hosts: [], placement }, this.#services.clock.now());
    return gate.kind === 'closed' ? gate : undefined;
  }

  #batch(id: BatchId): Promise<Batch | undefined> {
    const known = this.#batches.get(id) ?? this.#readBatch(id);
    this.#batches.set(id, known);
    return known;
  }

  async #readBatch(id: BatchId): Promise<Batch | undefined> {
    const [batch] = await loadReadable(this.#services, 'batch', [{ id }]);
    return batch === 'unreadable' ? undefined : batch;
  }
}
