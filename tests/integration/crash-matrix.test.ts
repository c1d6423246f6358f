import { afterAll, describe, expect, test } from '@jest/globals';
import { allCells, nameOf } from '../matrix/cells.ts';
import { isSound, type Finding } from '../matrix/finding.ts';
import { Matrix } from '../matrix/matrix.ts';

/** Of the cells of `npm run matrix` those that tell most: what each of them tries is told behind its name. */
const telling: readonly (readonly [string, string])[] = [
  ['reserve/during-effect/kill', 'an answer of the table that nobody hears'],
  ['provision/during-effect/kill', 'half a schema'],
  ['copy/during-effect/stop', 'rows that two workers copy'],
  ['verify/after-commit/kill', 'a phase that ended and told nobody'],
  ['freeze/during-effect/kill', 'a source that is being closed'],
  ['freeze/before-effect/stop', 'a freeze that comes late'],
  ['settle/after-effect/kill', 'a settled target that nobody records'],
  ['cutover/during-effect/kill', 'a flip whose answer is lost'],
  ['cutover/before-effect/long-stop', 'a flip that comes when all is over'],
  ['activate/during-effect/stop', 'a target that is being opened'],
  ['retire/during-effect/kill', 'a source copy that is being dropped'],
  ['roll-back/during-effect/kill', 'a slot that is being dropped on the way back'],
];

const matrix = new Matrix();
afterAll(() => matrix.end(), 60_000);

describe('a function process dies, or is stopped past its lease and continues, while clients write', () => {
  test.each(telling)(
    '%s (%s): the move ends, nothing is lost and nothing is left',
    async (name) => {
      const cell = allCells.find((each) => nameOf(each) === name);
      if (cell === undefined) throw new Error(`there is no cell ${name}`);
      const finding = await matrix.play(cell);
      expect({ ...finding, isSound: isSound(finding) }).toMatchObject({
        isSound: true,
        hit: true,
        takenOver: true,
        outcome: cell.stage === 'roll-back' ? 'rolled-back' : 'moved',
        orphans: [],
        faults: [],
      });
    },
    240_000,
  );
});

describe('a cell is sound', () => {
  const sound: Finding = {
    cell: 'copy/during-effect/kill',
    outcome: 'moved',
    hit: true,
    takenOver: true,
    acknowledged: 100,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    pauseMs: 3_000,
    orphans: [],
    faults: [],
    seconds: 7,
  };
  const flaws: readonly (readonly [string, Partial<Finding>])[] = [
    ['its strike missed', { hit: false }],
    ['its move is stuck', { outcome: 'stuck' }],
    ['nobody wrote', { acknowledged: 0 }],
    ['a write is lost', { lost: 1 }],
    ['a write is doubled', { duplicated: 1 }],
    ['a write is out of order', { reordered: 1 }],
    ['something is left on a host', { orphans: ['slot x on a'] }],
    ['a table differs', { faults: ['both sides: shop.customer has 9 rows, not 10'] }],
  ];

  test('when nothing of it is wrong', () => {
    expect(isSound(sound)).toBe(true);
  });
  test.each(flaws)('not when %s', (_, flaw) => {
    expect(isSound({ ...sound, ...flaw })).toBe(false);
  });
});
