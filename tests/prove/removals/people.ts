import { removals } from '../removal.ts';

/** What people are told. */
export const peopleRemovals = removals({ invariant: 10, test: 'tests/unit/news.test.ts' } as const, [
  {
    name: 'news-unindexed',
    enforces: 'News for people are due for as long as they have not been sent.',
    file: 'shared/contracts/rows/news.ts',
    symbol: 'newsRow',
    from: 'dueAt: notification.toldAt === undefined ? notification.at : undefined,',
    to: 'dueAt: undefined,',
    testName: 'people are told by the sweep, when the stream was lost',
  },
  {
    name: 'stuck-unindexed',
    enforces: 'A move that is stuck is due until people have been told of it.',
    file: 'shared/contracts/rows/move.ts',
    symbol: 'dueAtOf',
    from: 'return isStuckUntold(move) ? upToHalfMinute(status.endedAt) : undefined;',
    to: 'return move.version < 0 && isStuckUntold(move) ? upToHalfMinute(status.endedAt) : undefined;',
    testName:
      'people are told of a move that is stuck, by the relay and by the sweep, once for each of its runs',
  },
  {
    name: 'news-noted-before-sent',
    enforces: 'News are noted as sent after they were sent.',
    file: 'shared/workflow/tell-people.ts',
    symbol: 'sendNotification',
    from: `  await bus.notify([notification]);
`,
    to: `  await store.commit('news', notification, { ...notification, toldAt: clock.now() });
  await bus.notify([notification]);
`,
    testName: 'people are told again when the sender died before they were out',
  },
  {
    name: 'end-unsaid',
    enforces: 'A batch is closed after its end was put down for people to be told.',
    file: 'shared/workflow/dispatch-moves.ts',
    symbol: 'completeBatch',
    from: '  await tellPeople(services, finishedBatch(batch, counts.byLabel, blockersOf(moves, new Map())));\n',
    to: '  void tellPeople;\n  void finishedBatch;\n  void blockersOf(moves, new Map());\n',
    testName: 'people are told of the end of a batch, by whoever closes it',
  },
]);
