import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { auditLedger, isSound } from '../../local/demo/audit.ts';
import {
  compareCatalogs,
  compareContent,
  describeCatalog,
  hashTables,
  isUnwritten,
  type ContentHashes,
} from '../../local/demo/content.ts';
import { resultsOf } from '../../shared/workflow/move-endpoint/results.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import type { FaultyMove } from './faulty-move.ts';
import { leftBehind } from './left-behind.ts';

/** A sequence goes on at a later place after a crash of its server: that is compared between both sides alone. */
const isKept = (name: string): boolean => isUnwritten(name) && !name.endsWith('_seq');
const isTheirs = (name: string): boolean => !name.startsWith('dray_');

/** What an endpoint held before its move, and what has to be so after it. */
export class MoveProof {
  readonly #move: FaultyMove;
  readonly #hashes: ContentHashes;
  readonly #catalog: readonly string[];

  private constructor(move: FaultyMove, hashes: ContentHashes, catalog: readonly string[]) {
    this.#move = move;
    this.#hashes = hashes;
    this.#catalog = catalog;
  }

  /** Looks at what nobody writes to, lets the clients write, and waits until they do. */
  static async begin(move: FaultyMove): Promise<MoveProof> {
    const address = { ...move.hosts.source.address, database: move.tenant.database };
    const proof = new MoveProof(move, await hashTables(address, isKept), await describeCatalog(address));
    move.startWriters();
    await proof.#linesGrow();
    return proof;
  }

  /**
   * Everything that is wrong with an endpoint that has moved: both sides at the position of the freeze, then what
   * clients wrote from the first line to the last, then what is left on the hosts. Empty when nothing is.
   */
  async ofMoved(): Promise<string[]> {
    const move = this.#move;
    const { host, arbitration } = await move.placement();
    if (host !== move.hosts.target.name || arbitration.kind !== 'serving')
      return [`it is on ${host}, ${arbitration.kind}: ${await move.explain()}`];
    const found = move.doorOpen ? [] : await this.#compareSides();
    move.doorOpen = true;
    await this.#linesGrow();
    found.push(...(await this.#audit(move.hosts.target)));
    const { execution } = await move.move();
    await move.clock.reach((resultsOf({ execution }).activate?.openedAt ?? 0) + 3_600_000);
    await move.deliver(({ execution: { status } }) => status.state !== 'running');
    return [...found, ...(await this.#left())];
  }

  /** The same of an endpoint that has stayed: the source serves as before, and nothing is left on either host. */
  async ofStayed(): Promise<string[]> {
    const move = this.#move;
    const found = await this.whatServes();
    const target = await move.hosts.target.connect();
    const { rowCount } = await target.query('SELECT FROM pg_database WHERE datname = $1', [
      move.tenant.database,
    ]);
    await target.end();
    if (rowCount !== 0) found.push('the target has its database');
    return [...found, ...(await this.#left())];
  }

  /** It serves on the source with everything that was acknowledged, and is claimed by nobody; whatever the target has. */
  async whatServes(): Promise<string[]> {
    const move = this.#move;
    const { host, arbitration, claim } = await move.placement();
    if (host !== move.hosts.source.name || arbitration.kind !== 'serving' || claim !== undefined)
      return [`it is on ${host}, ${arbitration.kind}: ${await move.explain()}`];
    await this.#linesGrow();
    return await this.#audit(move.hosts.source);
  }

  /** Clients still get lines through, now. */
  async #linesGrow(): Promise<void> {
    const goal = this.#move.lines + 4;
    while (this.#move.lines < goal) await sleep(10);
  }

  /** Every table and sequence of the retained copy and of the target, before anybody writes to the target. */
  async #compareSides(): Promise<string[]> {
    const { source, target } = this.#move.hosts;
    const retained = resultsOf(await this.#move.move()).activate?.retained;
    if (retained === undefined) return ['nothing is retained'];
    const quoted = pg.escapeIdentifier(retained.database);
    await source.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS true`);
    const was = await hashTables({ ...source.address, database: retained.database }, isTheirs);
    await source.query(`ALTER DATABASE ${quoted} ALLOW_CONNECTIONS false`);
    const is = await hashTables({ ...target.address, database: this.#move.tenant.database }, isTheirs);
    return compareContent(was, is);
  }

  async #audit(server: PostgresServer): Promise<string[]> {
    const address = { ...server.address, database: this.#move.tenant.database };
    const histories = await this.#move.stopWriters();
    const audit = await auditLedger(address, histories.get(this.#move.tenant.name) ?? []);
    return [
      ...(isSound(audit) && audit.unresolved === 0 ? [] : [...audit.findings, ...audit.faults, 'unsound']),
      ...compareContent(this.#hashes, await hashTables(address, isKept)),
      ...compareCatalogs(this.#catalog, await describeCatalog(address)),
    ];
  }

  async #left(): Promise<string[]> {
    const { source, target } = this.#move.hosts;
    const { id } = await this.#move.move();
    const left = [...(await leftBehind(source)), ...(await leftBehind(target))];
    return left.filter((name) => name.includes(id.slice('mv_'.length))).map((name) => `left behind: ${name}`);
  }
}
