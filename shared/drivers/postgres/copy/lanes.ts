/** A piece of work that can begin once others have ended. */
export interface Unit {
  readonly name: string;
  /** Names of units. */
  readonly after: readonly string[];
  /** Of several that could begin the lowest does. */
  readonly rank: number;
  run(lane: number): Promise<void>;
}

/**
 * Runs units side by side, each when everything it comes after has ended. After a failure, or once `goOn` says
 * no, nothing more begins; what runs is waited for.
 * @returns whether all have run
 * @throws the first failure
 */
export async function runInLanes(
  units: readonly Unit[],
  lanes: number,
  goOn: () => boolean,
): Promise<boolean> {
  const plan = new Plan(units);
  const failures: unknown[] = [];
  const drive = async (lane: number): Promise<void> => {
    // At least one each, so that short calls come to an end as well.
    for (let first = true; failures.length === 0 && plan.left > 0 && (first || goOn());) {
      const unit = plan.take();
      if (unit === undefined) {
        await plan.change();
        continue;
      }
      first = false;
      try {
        await unit.run(lane);
        plan.end(unit);
      } catch (error) {
        failures.push(error);
        plan.wakeAll();
      }
    }
    plan.wakeAll();
  };
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => drive(lane)));
  if (failures.length > 0) throw failures[0];
  return plan.left === 0;
}

class Plan {
  /** Not ended yet, begun or not. */
  left: number;
  readonly #ready: Unit[];
  readonly #waitsFor = new Map<Unit, number>();
  readonly #followers = new Map<string, Unit[]>();
  #wakers: (() => void)[] = [];

  constructor(units: readonly Unit[]) {
    this.left = units.length;
    const names = new Set(units.map(({ name }) => name));
    for (const unit of units) {
      // What is not in the plan has ended in an earlier one.
      const after = unit.after.filter((name) => names.has(name));
      this.#waitsFor.set(unit, after.length);
      for (const name of after) this.#followers.set(name, [...(this.#followers.get(name) ?? []), unit]);
    }
    this.#ready = units.filter((unit) => this.#waitsFor.get(unit) === 0).sort(byRank);
  }

  take(): Unit | undefined {
    return this.#ready.shift();
  }

  end(unit: Unit): void {
    this.left -= 1;
    for (const follower of this.#followers.get(unit.name) ?? []) {
      const waits = (this.#waitsFor.get(follower) ?? 0) - 1;
      this.#waitsFor.set(follower, waits);
      if (waits === 0) this.#ready.push(follower);
    }
    this.#ready.sort(byRank);
    this.wakeAll();
  }

  /** Resolves when a unit has ended, or nothing more will begin. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakers.push(resolve);
    });
  }

  wakeAll(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}

const byRank = (one: Unit, other: Unit): number => one.rank - other.rank;
