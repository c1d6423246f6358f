import { removals } from '../removal.ts';

/** Where endpoints go: plans of which any part may be carried out. */
export const planningRemovals = removals(
  {
    invariant: 8,
    test: 'tests/property/planning.test.ts',
    testName:
      'a plan keeps every rule, in whatever order and however far its moves are made, and finds a place where there is one',
  },
  [
    {
      name: 'freed-room',
      enforces: 'A plan never uses room that another of its moves frees.',
      file: 'shared/domain/planning/ground.ts',
      symbol: 'settle',
      from: '    if (from !== undefined) leave(from, seat);\n    this.#join(seat, to.host, 1);\n',
      to: '    if (from !== undefined) {\n      leave(from, seat);\n      from.occupied -= seat.bytes;\n    }\n    this.#join(seat, to.host, 1);\n',
    },
    {
      name: 'room-unkept',
      enforces: 'No target is filled so far that less than a tenth of it would be free.',
      file: 'shared/domain/planning/rules.ts',
      symbol: 'obstacle',
      from: "if (site.limit <= 0 || after > site.limit) return 'room';",
      to: "if (site.limit <= 0) return 'room';",
    },
    {
      name: 'group-met',
      enforces: 'No two of an anti-affinity group are brought together, not even while one of them leaves.',
      file: 'shared/domain/planning/rules.ts',
      symbol: 'othersOnHost',
      from: "    if (ground.othersOnHost(seat, host.name) > 0) return 'group';\n",
      to: '',
    },
    {
      name: 'less-even',
      enforces: 'Each move of a rebalance makes the fleet more even by its measure.',
      file: 'shared/domain/planning/rebalance.ts',
      symbol: 'attempt',
      from: 'this.#scale.changeBy(from, choice.site, seat.bytes) > -leastGain',
      to: 'this.#scale.changeBy(from, choice.site, seat.bytes) > 1',
    },
  ],
);
