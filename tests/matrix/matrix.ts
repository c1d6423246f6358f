import type { Cell } from './cells.ts';
import { isSound, type Finding } from './finding.ts';
import { Ground } from './ground.ts';
import { Lookout } from './lookout.ts';
import { play, readOriginal, type Original } from './play.ts';

/** Plays one cell after another on the same cloud and hosts; what one has left behind is not held against the next. */
export class Matrix {
  readonly #lookout = new Lookout();
  #stage: { readonly ground: Ground; readonly original: Original } | undefined;

  async play(cell: Cell): Promise<Finding> {
    const { ground, original } = (this.#stage ??= await this.#lay());
    const finding = await play(ground, this.#lookout, original, cell);
    if (!isSound(finding)) await this.end();
    return finding;
  }

  /** Stops everything. May be called again. */
  async end(): Promise<void> {
    const stage = this.#stage;
    this.#stage = undefined;
    await stage?.ground.clear();
  }

  async #lay(): Promise<{ readonly ground: Ground; readonly original: Original }> {
    const ground = await Ground.lay(this.#lookout);
    return { ground, original: await readOriginal(ground) };
  }
}
