import { z } from 'zod';
import { moveId, type MoveId } from '../../shared/domain/ids.ts';
import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';
import type { Stage } from './cells.ts';
import type { RowWrite } from './passage.ts';

const status = z.object({
  state: z.string(),
  step: z.string().optional(),
  lease: z.object({ owner: z.string(), token: z.number() }).optional(),
});
const written = z.object({ status, last: z.object({ fact: z.string() }) });
const born = z.object({ endpoint: z.string() });

/** A write of the move's row, read. */
export interface Commit {
  readonly fact: string;
  readonly state: string;
  readonly step: string | undefined;
  readonly lease: { readonly owner: string; readonly token: number } | undefined;
}

const phases = new Map<string, string>(moveEndpointShape.steps.map(({ name, phase }) => [name, phase]));
const hurried = new Set<string>(
  moveEndpointShape.steps.flatMap((step) =>
    'hurried' in step || step.name === 'activate' ? [step.name] : [],
  ),
);

/** Where one endpoint's next move is, by the writes of its row that took effect. */
export class Course {
  readonly #endpoint: string;
  #key: string | undefined;
  #now: Commit | undefined;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** The key of the move, once it is planned. */
  get move(): { readonly id: MoveId } | undefined {
    return this.#key === undefined ? undefined : { id: moveId(this.#key.replace(/^MOVE#/, '')) };
  }

  get now(): Commit | undefined {
    return this.#now;
  }

  /** The same as a commit of this move; undefined for every other row. */
  read(row: RowWrite): Commit | undefined {
    if (row.sk !== 'MOVE') return undefined;
    if (this.#key === undefined && row.text.startsWith('INSERT')) {
      if (born.safeParse(row.set).data?.endpoint === this.#endpoint) this.#key = row.pk;
    }
    if (row.pk !== this.#key) return undefined;
    const { data } = written.safeParse(row.set);
    if (data === undefined) return undefined;
    const { state, step, lease } = data.status;
    return { fact: data.last.fact, state, step, lease };
  }

  /** It has taken effect. */
  follow(commit: Commit): void {
    this.#now = commit;
  }

  /**
   * Is it the stage's turn? The end of a hurried step is recorded while the next one works, so for these any
   * step of the phase will do.
   */
  isIn(stage: Stage): boolean {
    const { state, step } = this.#now ?? {};
    if (stage === 'thaw') return state === 'rolling-back' && step === 'freeze';
    if (stage === 'roll-back') return state === 'rolling-back';
    if (state !== 'running' || step === undefined) return false;
    return hurried.has(stage) ? phases.get(step) === phases.get(stage) : step === stage;
  }

  /** Does this commit record the end of the stage? */
  ends(stage: Stage, commit: Commit): boolean {
    const { state, step } = this.#now ?? {};
    if (commit.fact !== 'step-finished') return false;
    if (stage === 'roll-back') return commit.state === 'rolled-back';
    if (stage === 'thaw') return state === 'rolling-back' && step === 'freeze';
    return state === 'running' && step === stage;
  }
}
