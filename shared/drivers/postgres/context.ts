import type { CleanupEntry } from '../../domain/cleanup.ts';
import { StepFailure } from '../../domain/failure.ts';
import type { MoveJob } from '../../ports/driver.ts';
import { Hands } from './hands.ts';
import { readInventory } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import { moveNames } from './names.ts';
import type { MoveNames } from './names.ts';
import { readPlan } from './plan.ts';
import type { MovePlan } from './plan.ts';
import { mayReadPlaces } from './replication/places.ts';
import { readDoubts } from './verify/doubts.ts';
import type { Differences } from './verify/online.ts';

/** Others queue for a lock behind us no longer than this on the source. */
const sourceLockTimeoutMs = 200;
const targetLockTimeoutMs = 10_000;

/** Everything that the parts of one move's session share. */
export class MoveContext {
  readonly job: MoveJob;
  readonly names: MoveNames;
  readonly source: Hands;
  readonly target: Hands;
  /** This very session has closed the source for good. */
  closedForGood = false;
  /** Of the catalogs, when the schema was last found unchanged. */
  pulse: string | undefined;
  #plan: MovePlan | undefined;
  #readsPlaces: boolean | undefined;
  #inventory: Inventory | undefined;
  #doubts: Differences | undefined;
  readonly #ledgers = new Map<string, Map<string, CleanupEntry>>();

  constructor(job: MoveJob) {
    this.job = job;
    this.names = moveNames(job);
    this.source = new Hands(job, job.source, sourceLockTimeoutMs);
    // Nothing is served from the target yet: a crash loses rows and the notes of them together, and the last
    // commit of the freeze waits for all that came before it.
    this.target = new Hands(job, job.target, targetLockTimeoutMs, { synchronous_commit: 'off' });
  }

  get plan(): MovePlan {
    this.#plan ??= readPlan(this.job.recorded);
    return this.#plan;
  }

  /** Is it moved with its clients shut out for the whole copy? */
  get isOffline(): boolean {
    return this.plan.mode === 'offline';
  }

  get sourceOid(): number {
    return this.plan.attributes.oid;
  }

  /** The database on the target, if it was made. */
  async findTarget(): Promise<number | undefined> {
    return (await this.recorded(this.target)).get(`database:${this.names.provisional}`)?.oid;
  }

  /** What the source holds. Read once: a change of the schema ends the move. */
  async inventory(session: 'work' | 'tail' = 'work'): Promise<Inventory> {
    this.#inventory ??= await readInventory(await this.source.inside(this.sourceOid, session), {
      ignoreSchemas: [this.names.schema],
    });
    return this.#inventory;
  }

  /** What the online comparison left for the freeze. Read once, before it. */
  async doubts(): Promise<Differences> {
    const target = await this.target.inside(await this.targetOid(), 'apply');
    this.#doubts ??= await readDoubts(target, this.names.schema, this.job.database);
    return this.#doubts;
  }

  /** Compared anew: what was in doubt before no longer counts. */
  forgetDoubts(): void {
    this.#doubts = undefined;
  }

  /** May the mover read on the target how far a subscription has come in the source's log? Asked once. */
  async readsPlaces(): Promise<boolean> {
    this.#readsPlaces ??= await mayReadPlaces(await this.target.maintenance());
    return this.#readsPlaces;
  }

  /** @throws StepFailure `target-missing` */
  async targetOid(): Promise<number> {
    const oid = await this.findTarget();
    if (oid !== undefined) return oid;
    throw new StepFailure(
      {
        code: 'target-missing',
        sentence: `The database of this move on host "${this.job.target.host}" is not recorded.`,
        cure: 'Start the move again: the source was not touched.',
      },
      'fail',
    );
  }

  /** What stands in the ledger for a host, by key. */
  async recorded(hands: Hands): Promise<ReadonlyMap<string, CleanupEntry>> {
    return await this.#ledger(hands);
  }

  /** Records what does not stand there yet in the same words. Durable when it resolves. */
  async record(hands: Hands, entries: readonly CleanupEntry[]): Promise<void> {
    const ledger = await this.#ledger(hands);
    const fresh = entries.filter((entry) => JSON.stringify(ledger.get(entry.key)) !== JSON.stringify(entry));
    if (fresh.length === 0) return;
    await this.job.cleanup.record(hands.site.host, fresh);
    for (const entry of fresh) ledger.set(entry.key, entry);
  }

  async forget(hands: Hands, keys: readonly string[]): Promise<void> {
    const ledger = await this.#ledger(hands);
    const known = keys.filter((key) => ledger.has(key));
    if (known.length === 0) return;
    await this.job.cleanup.forget(hands.site.host, known);
    for (const key of known) ledger.delete(key);
  }

  async close(): Promise<void> {
    await Promise.all([this.source.close(), this.target.close()]);
  }

  async #ledger(hands: Hands): Promise<Map<string, CleanupEntry>> {
    const known = this.#ledgers.get(hands.site.host);
    if (known !== undefined) return known;
    const entries = await this.job.cleanup.list(hands.site.host);
    const ledger = new Map(entries.map((entry) => [entry.key, entry]));
    this.#ledgers.set(hands.site.host, ledger);
    return ledger;
  }
}
