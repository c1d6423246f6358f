import { removals } from '../removal.ts';

const arbiter = {
  file: 'shared/domain/placement.ts',
  symbol: 'rule',
  test: 'tests/property/placement.test.ts',
} as const;

/** The conditions of the placement row's own rule, one by one. */
export const arbiterRemovals = removals(arbiter, [
  {
    name: 'flip-by-anybody',
    invariant: 1,
    enforces: 'An endpoint is flipped by the very worker that froze it.',
    from: `if (arbitration.kind !== 'frozen' || !isSame(arbitration, command))
        return refuse(\`it is \${arbitration.kind}\`);
      if (placement.epoch`,
    to: `if (arbitration.kind !== 'frozen')
        return refuse(\`it is \${arbitration.kind}\`);
      if (placement.epoch`,
    testName: 'the arbiter an endpoint is flipped only while it is frozen by the very worker that flips it',
    daily: true,
  },
  {
    name: 'flip-while-thawing',
    invariant: 5,
    enforces: 'Once a thaw is decided, no flip can land.',
    from: `if (arbitration.kind !== 'frozen' || !isSame(arbitration, command))
        return refuse(\`it is \${arbitration.kind}\`);
      if (placement.epoch`,
    to: `if (arbitration.kind === 'serving' || !isSame(arbitration, command))
        return refuse(\`it is \${arbitration.kind}\`);
      if (placement.epoch`,
    testName:
      'the arbiter once a thaw is decided, or the target is being opened, there is no flip and no un-flip',
  },
  {
    name: 'flip-on-any-epoch',
    invariant: 1,
    enforces: 'A flip counts only on the epoch that its freeze has seen.',
    from: 'if (placement.epoch !== command.epoch) return refuse(`its epoch is ${String(placement.epoch)}`);',
    to: '',
    testName: 'the arbiter an endpoint is flipped only on the epoch that its freeze has seen',
  },
  {
    name: 'flip-keeps-epoch',
    invariant: 1,
    enforces: 'Each flip raises the epoch, by which clients tell an old host from the new one.',
    from: `        host: command.target,
        epoch: placement.epoch + 1,`,
    to: `        host: command.target,
        epoch: placement.epoch,`,
    testName: 'the arbiter the host changes only by a flip or an un-flip, and each raises the epoch by one',
  },
  {
    name: 'un-flip-keeps-epoch',
    invariant: 1,
    enforces: 'So does the way back from a flip.',
    from: `        host: arbitration.from,
        epoch: placement.epoch + 1,`,
    to: `        host: arbitration.from,
        epoch: placement.epoch,`,
    testName: 'the arbiter the host changes only by a flip or an un-flip, and each raises the epoch by one',
  },
  {
    name: 'un-flip-while-opening',
    invariant: 5,
    enforces: 'A flip is taken back only until the new host is being opened.',
    from: "if (arbitration.kind !== 'flipped' || !follows(arbitration, command))",
    to: "if ((arbitration.kind !== 'flipped' && arbitration.kind !== 'opening') || !follows(arbitration, command))",
    testName:
      'the arbiter once a thaw is decided, or the target is being opened, there is no flip and no un-flip',
  },
  {
    name: 'un-flip-by-older',
    invariant: 12,
    enforces: 'An older worker takes no flip back.',
    from: "if (arbitration.kind !== 'flipped' || !follows(arbitration, command))",
    to: "if (arbitration.kind !== 'flipped')",
    testName: 'the arbiter a worker with an older token never takes anything from one with a newer',
  },
  {
    name: 'freeze-without-claim',
    invariant: 1,
    enforces: 'Only the move that holds an endpoint freezes it.',
    from: "if (placement.claim?.move !== command.move) return refuse('the move does not hold the endpoint');",
    to: '',
    testName: 'the arbiter an endpoint is frozen only by a move that holds it, and by one worker',
  },
  {
    name: 'freeze-of-another',
    invariant: 1,
    enforces: "A freeze that another worker made is not taken for one's own.",
    from: "return arbitration.kind === 'frozen' && isSame(arbitration, command)",
    to: "return arbitration.kind === 'frozen'",
    testName: 'the arbiter an endpoint is frozen only by a move that holds it, and by one worker',
  },
  {
    name: 'adopt-freeze-by-older',
    invariant: 12,
    enforces: "An older worker does not take over a newer one's freeze.",
    from: "if (arbitration.kind !== 'frozen' || !follows(arbitration, command))",
    to: "if (arbitration.kind !== 'frozen')",
    testName: 'the arbiter a worker with an older token never takes anything from one with a newer',
  },
  {
    name: 'thaw-after-flip',
    invariant: 1,
    enforces: 'The source is not thawed once the endpoint was flipped.',
    from: "(arbitration.kind !== 'frozen' && arbitration.kind !== 'thawing') ||",
    to: "(arbitration.kind !== 'frozen' && arbitration.kind !== 'thawing' && arbitration.kind !== 'flipped') ||",
    testName:
      'the arbiter what was flipped or is being opened is not thawed, and serves again only after a thaw',
    daily: true,
  },
  {
    name: 'thaw-by-older',
    invariant: 12,
    enforces: 'An older worker does not thaw what a newer one froze.',
    from: `        (arbitration.kind !== 'frozen' && arbitration.kind !== 'thawing') ||
        !follows(arbitration, command)
`,
    to: `        (arbitration.kind !== 'frozen' && arbitration.kind !== 'thawing')
`,
    testName: 'the arbiter a worker with an older token never takes anything from one with a newer',
  },
  {
    name: 'thaw-ended-by-older',
    invariant: 12,
    enforces: 'The end of a thaw is told by the worker that decided it.',
    from: "if (arbitration.kind !== 'thawing' || !isSame(arbitration, command))",
    to: "if (arbitration.kind !== 'thawing')",
    testName: 'the arbiter a worker with an older token never takes anything from one with a newer',
  },
  {
    name: 'serve-while-frozen',
    invariant: 5,
    enforces: 'A frozen endpoint serves again only after a thaw was decided.',
    from: "if (arbitration.kind !== 'thawing' || !isSame(arbitration, command))",
    to: 'if (!isSame(arbitration, command))',
    testName:
      'the arbiter what was flipped or is being opened is not thawed, and serves again only after a thaw',
  },
  {
    name: 'open-before-flip',
    invariant: 1,
    enforces: 'The new host is opened only after the flip.',
    from: "if (arbitration.kind === 'opening' && isSame(arbitration, command)) return { kind: 'already' };",
    to: "if ((arbitration.kind === 'opening' || arbitration.kind === 'frozen') && isSame(arbitration, command)) return { kind: 'already' };",
    testName: 'the arbiter the new host is opened only after the flip, and serves only after it was opened',
  },
  {
    name: 'open-by-older',
    invariant: 12,
    enforces: 'An older worker does not open the new host.',
    from: `        (arbitration.kind !== 'flipped' && arbitration.kind !== 'opening') ||
        !follows(arbitration, command)
`,
    to: `        (arbitration.kind !== 'flipped' && arbitration.kind !== 'opening')
`,
    testName: 'the arbiter a worker with an older token never takes anything from one with a newer',
  },
  {
    name: 'serve-before-opening',
    invariant: 5,
    enforces: 'The new host serves only after the intent to open it was recorded.',
    from: "if (arbitration.kind !== 'opening' || !isSame(arbitration, command))",
    to: "if ((arbitration.kind !== 'opening' && arbitration.kind !== 'flipped') || !isSame(arbitration, command))",
    testName: 'the arbiter the new host is opened only after the flip, and serves only after it was opened',
  },
  {
    name: 'source-taken-for-opened',
    invariant: 5,
    enforces: 'A source that serves is not taken for an opened target.',
    from: "if (arbitration.kind === 'serving' && placement.host === command.target) return { kind: 'already' };",
    to: "if (arbitration.kind === 'serving') return { kind: 'already' };",
    testName: 'the arbiter the new host is opened only after the flip, and serves only after it was opened',
  },
  {
    name: 'claim-of-another',
    invariant: 1,
    enforces: 'Nobody claims an endpoint that another move holds.',
    from: 'if (placement.claim !== undefined) return refuse(`it is being moved by ${placement.claim.move}`);',
    to: '',
    testName: 'the arbiter nobody claims what another move holds, and tokens of a later claim are all newer',
  },
  {
    name: 'tokens-reused',
    invariant: 12,
    enforces: 'Tokens of a later claim are all newer than those of an earlier one.',
    from: 'firstToken: (placement.claims + 1) * tokensPerClaim',
    to: 'firstToken: tokensPerClaim',
    testName: 'the arbiter nobody claims what another move holds, and tokens of a later claim are all newer',
  },
  {
    name: 'release-while-frozen',
    invariant: 5,
    enforces: 'A move lets go of an endpoint only while it serves.',
    from: "if (arbitration.kind !== 'serving') return refuse(`it is ${arbitration.kind}`);",
    to: '',
    testName: 'the arbiter an endpoint is not let go while it does not serve',
  },
  {
    name: 'epoch-untold',
    invariant: 10,
    enforces: 'What was told of an endpoint is never untold by a latecomer.',
    from: 'return command.epoch > placement.announcedEpoch',
    to: 'return command.epoch !== placement.announcedEpoch',
    testName: 'the arbiter an epoch that was told is never untold',
  },
]);
