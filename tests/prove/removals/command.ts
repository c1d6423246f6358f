import { removals } from '../removal.ts';

const commands = { invariant: 13, test: 'tests/unit/commands.test.ts' } as const;

/** What people say, and what it holds back. */
export const commandRemovals = [
  ...removals(commands, [
    {
      name: 'gate-before-freeze',
      enforces: 'Nothing is frozen that a person holds back.',
      file: 'shared/workflow/move-endpoint/cutover.ts',
      symbol: 'mayCutOver',
      from: "    if (gate.kind === 'closed') return waitAtGate(gate, hand.task, services.clock.now());\n",
      to: "    if (gate.kind === 'closed') waitAtGate(gate, hand.task, services.clock.now());\n",
      testName: 'a pause of a batch lets what copies go on until its cutover, and no further',
    },
    {
      name: 'gate-before-begin',
      enforces: 'Nothing begins that a person holds back.',
      file: 'shared/workflow/admission/admit-moves.ts',
      symbol: 'lookOnce',
      from: '  const free = await doors.open(moves);\n',
      to: '  const free = moves;\n',
      testName: 'a pause lets nothing begin, and once it is over everything does',
    },
    {
      name: 'approval-by-author',
      enforces: 'Nobody approves of what they have asked for themselves.',
      file: 'shared/workflow/commands/approve.ts',
      symbol: 'approve',
      from: 'if (by.by === batch.requestSource) {',
      to: "if (by.by === '') {",
      testName: 'a batch that needs an approval waits for somebody other than its author',
    },
    {
      name: 'latest-word',
      enforces: 'Of two words of a publisher about one thing the later one stands, whichever arrives first.',
      file: 'shared/domain/pause.ts',
      symbol: 'said',
      from: 'if (other !== undefined && other.at > by.at) {',
      to: 'if (other !== undefined && other === by) {',
      test: 'tests/property/gate.test.ts',
      testName:
        'what is held back and let go stands by the latest word, in whatever order the words arrive, and however often',
      daily: true,
    },
    {
      name: 'last-reason',
      enforces: 'What several want moved goes on until the last of them does not.',
      file: 'shared/domain/move-reasons.ts',
      symbol: 'withoutReason',
      from: 'if (left.length === 0) {',
      to: 'if (left.length >= 0) {',
      test: 'tests/property/move-reasons.test.ts',
      testName:
        'in any order of joins and withdrawals a move goes on for as long as somebody wants it, as urgent as the most urgent',
    },
    {
      name: 'window-too-late',
      enforces: 'Nothing begins or cuts over that cannot be done before its maintenance window closes.',
      file: 'shared/domain/gate.ts',
      symbol: 'outsideWindow',
      from: 'if (closesAt !== undefined && closesAt - now >= needMs) return undefined;',
      to: 'if (closesAt !== undefined && closesAt - now >= needMs - needMs) return undefined;',
      test: 'tests/unit/windows.test.ts',
      testName: 'a maintenance window lets begin and cut over only what is done before it closes',
    },
  ]),
  {
    name: 'cancelled-too-early',
    invariant: 8,
    enforces: 'A move that a planner makes after its batch was cancelled is turned round as well.',
    file: 'shared/workflow/dispatch-moves.ts',
    symbol: 'completeBatch',
    from: "if (end === 'to-undo') await services.bus.sendPlan({ batch: id });",
    to: '',
    test: commands.test,
    testName: 'a cancel goes on where an invocation has ended, and turns round a move that was made too late',
  },
];
