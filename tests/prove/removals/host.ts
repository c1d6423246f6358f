import { removals } from '../removal.ts';

const fence = { test: 'tests/integration/postgres-fence.test.ts' } as const;
const driver = { test: 'tests/conformance/driver-postgres.test.ts' } as const;
const settle = { test: 'tests/integration/postgres-settle.test.ts' } as const;

/** What PostgreSQL itself refuses, waits for or makes durable: fence, barrier, host token, settle. */
export const hostRemovals = [
  ...removals(fence, [
    {
      name: 'barrier',
      invariant: 2,
      enforces: 'The barrier: no session that was starting when the source was closed escapes the fence.',
      file: 'shared/drivers/postgres/fence/empty.ts',
      symbol: 'countStarting',
      from: 'if (!nobodyStarts) nobodyStarts = (await countStarting(maintenance, database)) === 0;',
      to: 'nobodyStarts = true;',
      testName:
        'emptying a closed database waits for a session that was starting when the door was closed, and that no list shows',
    },
    {
      name: 'emptying-loop',
      invariant: 2,
      enforces: 'The source counts as frozen only when nobody but us is inside any more.',
      file: 'shared/drivers/postgres/fence/empty.ts',
      symbol: 'emptyDatabase',
      from: 'if (nobodyStarts && sessions.length === 0) return { ended, rounds };',
      to: 'if (nobodyStarts) return { ended, rounds };',
      testName:
        'emptying a closed database ends only when nobody is inside any more, however long a session takes to end',
    },
    {
      name: 'host-token',
      invariant: 12,
      enforces:
        'The host token is locked and compared in the transaction of each freeze, thaw, opening, fence and drop.',
      file: 'shared/drivers/postgres/token.ts',
      symbol: 'underToken',
      from: 'if (row?.token !== holder.token) throw superseded(maintenance, database, holder);',
      to: 'if (row === undefined) throw superseded(maintenance, database, holder);',
      testName:
        'the host token refuses an older worker whose session nobody has seen, in the transaction of its effect',
    },
    {
      name: 'host-token-lowered',
      invariant: 12,
      enforces: 'The host token is never lowered.',
      file: 'shared/drivers/postgres/token.ts',
      symbol: 'takeToken',
      from: 'WHERE held.token <= excluded.token\n',
      to: 'WHERE held.token <> -1\n',
      testName: 'the host token is never lowered',
    },
    {
      name: 'former-holders',
      invariant: 12,
      enforces: 'Whoever takes over ends the sessions of the former worker on the host.',
      file: 'shared/drivers/postgres/token.ts',
      symbol: 'endFormerHolders',
      from: '  await endFormerHolders(maintenance, database, holder);\n}\n',
      to: '}\n',
      testName: 'the host token ends the sessions of an older worker before the newer one goes on',
    },
    {
      name: 'token-after-opening',
      invariant: 12,
      enforces: 'A session is used only after the host token was compared once more, after its opening.',
      file: 'shared/drivers/postgres/hands.ts',
      symbol: 'assertHolding',
      from: '    await this.#assertHolding(session, key);\n',
      to: '',
      testName:
        'the host token is compared after a session was opened: an older worker gets none to work with',
    },
  ]),
  ...removals({ ...driver, file: 'shared/drivers/postgres/fence/fence.ts' }, [
    {
      name: 'fence',
      invariant: 1,
      enforces: 'The frozen source refuses everybody.',
      symbol: 'fence',
      from: '  await allowConnections(source, sourceOid, false);\n',
      to: '',
      testName:
        'the PostgreSQL 18 driver moving the fence refuses writes and ends the transactions that are open',
    },
    {
      name: 'target-closed',
      invariant: 1,
      enforces: 'The target refuses clients until it is opened.',
      file: 'shared/drivers/postgres/door.ts',
      symbol: 'shutOthers',
      from: "`REVOKE CONNECT ON DATABASE ${database} FROM ${others.join(', ')};\n     GRANT",
      to: '`GRANT',
      testName: 'the PostgreSQL 18 driver moving the target is closed until it is opened',
    },
    {
      name: 'closed-for-good',
      invariant: 1,
      enforces: 'A source that was closed for good says so itself, to whoever would thaw it late.',
      symbol: 'fenceForGood',
      from: '      await markClosed(tx, sourceOid, source.holder, true);\n',
      to: '',
      testName:
        'the PostgreSQL 18 driver moving what is closed for good stays closed for whoever would thaw it late',
    },
    {
      name: 'late-thaw',
      invariant: 1,
      enforces: 'A late thaw is refused by the source that was closed for good.',
      symbol: 'unfence',
      from: 'if (closedBy !== undefined && closedBy >= context.job.token && !context.closedForGood) {',
      to: 'if (closedBy !== undefined && closedBy < 0) {',
      testName:
        'the PostgreSQL 18 driver moving what is closed for good stays closed for whoever would thaw it late',
    },
  ]),
  ...removals({ ...settle, file: 'shared/drivers/postgres/settle.ts' }, [
    {
      name: 'marker',
      invariant: 2,
      enforces: 'The marker: settle ends only when the target shows what the source wrote last.',
      symbol: 'settleOnline',
      from: '  if (!seen) throw tailNotApplied(context);\n',
      to: '',
      testName: 'a move in its cutover settle does not end before the last write is on the target',
    },
    {
      name: 'synchronous-settle',
      invariant: 2,
      enforces: 'One synchronous commit on the target makes the tail durable before the flip.',
      symbol: 'settleOnline',
      from: '    { durable: true },\n',
      to: '',
      testName:
        'a move in its cutover what settle has ended with survives a crash of the target, also when the source is gone',
    },
    {
      name: 'sequences-written',
      invariant: 2,
      enforces: 'Sequences, which replication does not carry, are set where the source left them.',
      symbol: 'writeSequences',
      from: '    await writeSequences(tx, sequences);\n',
      to: '',
      testName: 'a move in its cutover sequences go on at the target where the source left them',
    },
    {
      name: 'sequences-compared',
      invariant: 11,
      enforces: 'The last look compares where every sequence stands.',
      symbol: 'confirmOnline',
      from: 'if (differingSequences(settled.sequences, sequences).length > 0) {',
      to: 'if (differingSequences(settled.sequences, settled.sequences).length > 0) {',
      testName: 'a move in its cutover a sequence that somebody has moved on the target is found',
    },
    {
      name: 'schema-unchanged',
      invariant: 11,
      enforces: 'The last look refuses a schema that is another than the one that was copied.',
      symbol: 'confirmOnline',
      from: '  if (!unchanged) throw schemaChanged(context);\n',
      to: '',
      testName: 'a move in its cutover the schema is found to be another than the one that was copied',
    },
  ]),
];
