import { removals } from '../removal.ts';

/** That both sides hold the same. */
export const contentRemovals = removals({ invariant: 11 }, [
  {
    name: 'rows-compared',
    enforces: 'The comparison of both sides looks at every value, not at counts.',
    file: 'shared/drivers/postgres/verify/compare.ts',
    symbol: 'compareUnits',
    from: 'return a?.rows !== b?.rows || a?.sum !== b?.sum;',
    to: 'return a?.rows !== b?.rows;',
    test: 'tests/integration/postgres-verify.test.ts',
    testName: 'differences a changed value is found by its key',
  },
  {
    name: 'doubts-settled',
    enforces: 'What the online comparison left in doubt is decided in the freeze.',
    file: 'shared/drivers/postgres/verify-move.ts',
    symbol: 'settleDoubts',
    from: '  throw contentDiffers(context, differ);\n',
    to: '',
    test: 'tests/integration/postgres-settle.test.ts',
    testName:
      'a move in its cutover a row that the online comparison left in doubt is looked at again, and ends the move if it is lost',
  },
]);
