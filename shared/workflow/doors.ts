import type { Batch } from '../domain/batch.ts';
import type { Fleet } from '../domain/fleet.ts';
import type { Fact } from '../domain/fact.ts';
import type { Failure } from '../domain/failure.ts';
import { mayBegin, tooLongFor, type Closed, type Gate } from '../domain/gate.ts';
import type { Host } from '../domain/host.ts';
import type { BatchId, HostName } from '../domain/ids.ts';
import type { Move } from '../domain/move.ts';
import { leastWindowMs, neededMs, type Taken } from '../domain/window.ts';
import { moveEndpointShape } from '../domain/workflow-shape.ts';
import type { WaitingMove } from '../ports/store.ts';
import { tellMove, type TellServices } from './commands/tell-move.ts';
import { loadReadable } from './each-apart.ts';
import { windowOf } from './gate-scene.ts';
import { resultsOf } from './move-endpoint/results.ts';
import type { Services } from './services.ts';

type DoorServices = TellServices & Pick<Services, 'calendar' | 'views' | 'log'>;

/** Moves of a batch by which the others are measured. */
const mostMeasured = 20;
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
  readonly #measured = new Map<BatchId, Promise<readonly Taken[]>>();

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

  /** May it begin, as far as it is held back by itself? One that may not is put off; one that never could is not moved. */
  async mayBegin(waiting: WaitingMove): Promise<boolean> {
    const found = await this.#ofOne(waiting);
    if (found.kind === 'open') return true;
    const until = found.kind === 'never' ? 0 : (found.opensAt ?? this.#services.clock.now() + putOffMs);
    const fact: Fact =
      found.kind === 'never'
        ? { kind: 'abandoned', failure: found.failure }
        : { kind: 'put-off', code: found.code, on: found.on, until };
    await tellMove(this.#services, waiting.id, () => fact, 'dispatch-moves');
    return false;
  }

  async #ofAll({ batch, source, target }: WaitingMove): Promise<Closed | undefined> {
    const hosts = [source, target].flatMap((name) => this.#hosts.get(name) ?? []);
    const held = await this.#batch(batch);
    const window = windowOf(this.#services, held, leastWindowMs);
    const gate = mayBegin({ fleet: this.#fleet, batch: held, hosts, window }, this.#services.clock.now());
    return gate.kind === 'closed' ? gate : undefined;
  }

  async #ofOne({ id, batch }: WaitingMove): Promise<Gate | Never> {
    const [move] = await loadReadable(this.#services, 'move', [{ id }]);
    if (move === undefined || move === 'unreadable') return { kind: 'open' };
    const [placement] = await loadReadable(this.#services, 'endpoint', [{ endpoint: move.endpoint }]);
    if (placement === undefined || placement === 'unreadable') return { kind: 'open' };
    const held = await this.#batch(batch);
    const scene = { fleet: {}, hosts: [], placement };
    if (held?.policy.window === undefined) return mayBegin(scene, this.#services.clock.now());
    const needMs = neededMs(placement.sizeBytes, await this.#taken(batch));
    const window = windowOf(this.#services, held, needMs);
    const failure = tooLongFor({ window });
    return failure === undefined
      ? mayBegin({ ...scene, window }, this.#services.clock.now())
      : { kind: 'never', failure };
  }

  /** What moves of a batch have taken that have arrived. */
  #taken(batch: BatchId): Promise<readonly Taken[]> {
    const known = this.#measured.get(batch) ?? this.#measure(batch);
    this.#measured.set(batch, known);
    return known;
  }

  async #measure(batch: BatchId): Promise<readonly Taken[]> {
    const { views } = this.#services;
    const pages = await Promise.all([views.movesOf(batch, 'moved'), views.movesOf(batch, 'retired')]);
    const ids = pages.flatMap(({ items }) => items).slice(0, mostMeasured);
    const moves = await loadReadable(this.#services, 'move', ids);
    return moves.flatMap((move) =>
      move === undefined || move === 'unreadable' ? [] : (takenBy(move) ?? []),
    );
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

interface Never {
  readonly kind: 'never';
  readonly failure: Failure;
}

/** What a move has held and taken up to its cutover. */
function takenBy(move: Move): Taken | undefined {
  const { timings } = move.execution;
  const { preflight } = resultsOf(move);
  if (preflight === undefined) return undefined;
  const ms = moveEndpointShape.steps.reduce(
    (sum, { name, phase }) => (phase === 'retire' ? sum : sum + (timings[name] ?? 0)),
    0,
  );
  return { bytes: preflight.sizeBytes, ms };
}
