import { removals } from '../removal.ts';

const cutover = {
  file: 'shared/workflow/move-endpoint/cutover.ts',
  test: 'tests/unit/move-order.test.ts',
} as const;
const thaw = {
  file: 'shared/workflow/move-endpoint/thaw.ts',
  test: 'tests/unit/move-order.test.ts',
} as const;
const activate = {
  file: 'shared/workflow/move-endpoint/activate.ts',
  test: 'tests/unit/move-order.test.ts',
} as const;

/** The order in which a move asks the placement row and touches its hosts. */
export const moveRemovals = [
  ...removals(cutover, [
    {
      name: 'fence-without-arbiter',
      invariant: 1,
      enforces: 'The placement row says who freezes before the source is fenced.',
      symbol: 'freeze',
      from: "    const frozen = await mustArbitrate(services, endpoint, { kind: 'freeze', move: id, token: hand.token });\n",
      to: '    const frozen = found as Placement;\n',
      testName: 'a move fences, thaws, closes and opens only under what the placement row says',
    },
    {
      name: 'stale-verification',
      invariant: 11,
      enforces: 'A comparison that is too old to flip on is made again before the freeze.',
      symbol: 'freshMs',
      from: 'verify === undefined || services.clock.now() - verify.at > services.settings.freshMs;',
      to: 'verify === undefined;',
      testName: 'a move compares both sides anew when the last comparison is too old to flip on',
    },
    {
      name: 'pause-over-budget',
      invariant: 11,
      enforces: 'A freeze that is predicted to take longer than its budget is put off.',
      symbol: 'pauseBudgetMs',
      from: "if (predicted.ms > budgetMs && preflight?.mode !== 'offline') {",
      to: "if (predicted.ms < 0 && preflight?.mode !== 'offline') {",
      testName: 'a move puts off a freeze that is predicted to take longer than its budget, and says so',
    },
    {
      name: 'slow-table',
      invariant: 11,
      enforces: 'A freeze whose own row took too long to write is put off: the flip would take as long.',
      symbol: 'slowStoreMs',
      from: 'if (tookMs > services.settings.slowStoreMs) {',
      to: 'if (tookMs < 0) {',
      testName: 'a move puts off a freeze whose own row took too long to write: the flip would take as long',
    },
  ]),
  ...removals(thaw, [
    {
      name: 'thaw-without-arbiter',
      invariant: 5,
      enforces:
        'The placement row says that a thaw has begun before the source is opened: nothing is thawed on an unknown answer.',
      symbol: 'thaw',
      from: `  const begun = await mustArbitrate(services, endpoint, { kind: 'begin-thaw', move: id, token: hand.token });
  if (begun.arbitration.kind === 'serving') return;
`,
      to: `  const begun = await mustArbitrate(services, endpoint, { kind: 'begin-thaw', move: id, token: hand.token }).catch(
    () => undefined,
  );
  if (begun?.arbitration.kind === 'serving') return;
`,
      testName: 'a move opens a frozen source only when the table has said so: not while it does not answer',
    },
    {
      name: 'un-flip',
      invariant: 8,
      enforces:
        'A flip onto a target that cannot be opened is taken back: the fenced source is complete, and serves.',
      symbol: 'undoCutover',
      from: "const answer = await arbitrate(services, endpoint, { kind: 'un-flip', move: id, token: hand.token });",
      to: "const answer = await arbitrate(services, endpoint, { kind: 'adopt-freeze', move: id, token: hand.token });",
      testName: 'a move takes a flip back when the source cannot be closed for good, and the source serves',
    },
  ]),
  ...removals(activate, [
    {
      name: 'open-without-final-fence',
      invariant: 1,
      enforces: 'The source is closed for good before the target is opened.',
      symbol: 'fenceForGood',
      from: '    await session.fenceForGood();\n',
      to: '',
      testName: 'a move closes the source for good before the target is opened',
    },
    {
      name: 'open-without-intent',
      invariant: 5,
      enforces:
        'The intent to open stands on the placement row before the target accepts anybody: the point of no return.',
      symbol: 'open',
      from: "  await mustArbitrate(scene.services, endpoint, { kind: 'begin-opening', move: id, token }, scene.held);\n  try {\n    await session.open();\n",
      to: "  try {\n    await session.open();\n    await mustArbitrate(scene.services, endpoint, { kind: 'begin-opening', move: id, token }, scene.held);\n",
      testName: 'a move fences, thaws, closes and opens only under what the placement row says',
    },
  ]),
];
