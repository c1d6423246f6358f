import { removals } from '../removal.ts';

/** What the table itself refuses: conditions of writes. */
export const tableRemovals = removals({}, [
  {
    name: 'arbiter-on-any-version',
    invariant: 1,
    enforces:
      "The arbiter's ruling is written on the version of the row that it was made from, alone, and once.",
    file: 'shared/aws/statements.ts',
    symbol: 'updateInput',
    from: "ConditionExpression: '#version = :version',",
    to: "ConditionExpression: 'attribute_exists(#version) OR #version = :version',",
    test: 'tests/conformance/lost-answers.test.ts',
    testName:
      'over a wire that breaks a commit of the arbiter that nobody answers can never land once another has been written',
  },
  {
    name: 'commit-on-any-version',
    invariant: 12,
    enforces: 'Every commit counts only on the version that its writer has read.',
    file: 'shared/aws/statements.ts',
    symbol: 'onVersion',
    from: `const onVersion = 'WHERE "pk"=? AND "sk"=? AND "version"=?';`,
    to: `const onVersion = 'WHERE "pk"=? AND "sk"=? AND "version">=?';`,
    test: 'tests/conformance/store.test.ts',
    testName: 'the store on dynoxide turns a move into any other of the same key by a commit',
  },
  {
    name: 'permits-without-limit',
    invariant: 6,
    enforces: 'A permit is added to the set on the host only while there is room.',
    file: 'shared/aws/permits.ts',
    symbol: 'take',
    from: 'attribute_not_exists(#held) OR size(#held) < :limit OR ',
    to: 'attribute_exists(pk) OR size(#held) < :limit OR ',
    test: 'tests/conformance/permits.test.ts',
    testName: 'permits on dynoxide are never more than the limit, whoever asks at once and however often',
  },
  {
    name: 'claim-check-unhashed',
    invariant: 3,
    enforces:
      'A body that travelled by reference is taken only with the content whose hash the reference names.',
    file: 'shared/aws/blobs.ts',
    symbol: 'createBlobs',
    from: "if (body.length !== check.bytes || sha256(body).toString('hex') !== check.sha256)",
    to: 'if (body.length > check.bytes + 1_000_000)',
    test: 'tests/conformance/blobs.test.ts',
    testName: 'claim checks in a bucket that were altered are refused: of the same length',
  },
  {
    name: 'due-work-unindexed',
    invariant: 4,
    enforces: 'Work under way stands in the index of what is due, from when its worker has had to speak up.',
    file: 'shared/contracts/rows/move.ts',
    symbol: 'dueAtOf',
    from: 'return upToHalfMinute(Math.max(status.dueAt, status.lease?.until ?? 0, last.at + grace));',
    to: 'return last.at < 0 ? upToHalfMinute(status.dueAt) : undefined;',
    test: 'tests/unit/sweep.test.ts',
    testName: 'the sweep of rows sets a move going again whose message was lost',
  },
  {
    name: 'untold-unindexed',
    invariant: 10,
    enforces: 'A placement is due for as long as its epoch has not been told.',
    file: 'shared/contracts/rows/endpoint.ts',
    symbol: 'endpointRow',
    from: 'dueAt: isUnannounced(placement) ? placement.registeredAt : undefined,',
    to: 'dueAt: undefined,',
    test: 'tests/unit/sweep.test.ts',
    testName: 'the sweep of rows tells the world of an epoch whose news was lost with the stream',
  },
]);
