/** Compares what the writers know with what a database holds in the end. */
import pg from 'pg';
import { z } from 'zod';
import type { DatabaseAddress } from './content.ts';
import { amountOf } from './history.ts';
import type { WriterHistory } from './history.ts';

/** Counts of lines; a line is one transaction of one writer. */
export interface LedgerAudit {
  /** Lines whose commit the writers know of. */
  readonly acknowledged: number;
  /** Acknowledged lines of which something is missing. */
  readonly lost: number;
  /** Lines of which something is there more than once, or though it was never written or has been deleted. */
  readonly duplicated: number;
  /** Lines that stand before one that their writer had written earlier. */
  readonly reordered: number;
  /** Lines that are there and say something else. */
  readonly altered: number;
  /** Lost answers that turned out to be commits, and those that did not; and those that nobody could tell. */
  readonly foundCommitted: number;
  readonly foundAbsent: number;
  readonly unresolved: number;
  /** Refusals that no move explains. */
  readonly faults: readonly string[];
  /** The first things that are wrong, in words. */
  readonly findings: readonly string[];
}

/** At most this many findings are told in words. */
const MOST_FINDINGS = 20;
/** Tables that forget: which lines are in them, and how many lines back they reach. See ledger.write. */
const NOTES = { table: 'ledger.note', remainder: 0, reach: 10 };
const TASKS = { table: 'ledger.task', remainder: 1, reach: 20 };
const TASKS_OPEN_REACH = 4;

const entryRow = z.object({
  writer: z.number(),
  seq: z.coerce.number(),
  amount: z.number(),
  right: z.boolean(),
});
const counterRow = z.object({ writer: z.number(), seq: z.coerce.number(), total: z.coerce.number() });
const noteRow = z.object({
  writer: z.number(),
  seq: z.coerce.number(),
  right: z.boolean(),
  revised: z.boolean(),
});
const taskRow = z.object({
  writer: z.number(),
  seq: z.coerce.number(),
  state: z.string(),
  payload: z.json(),
});

interface Row {
  readonly writer: number;
  readonly seq: number;
}

/** Collects each line once for each verdict, however many tables bear witness. */
class Verdicts {
  readonly lost = new Set<string>();
  readonly duplicated = new Set<string>();
  readonly reordered = new Set<string>();
  readonly altered = new Set<string>();
  readonly findings: string[] = [];

  say(
    verdict: 'lost' | 'duplicated' | 'reordered' | 'altered',
    writer: number,
    line: number,
    where: string,
  ): void {
    this[verdict].add(`${writer.toString()}/${line.toString()}`);
    if (this.findings.length < MOST_FINDINGS) {
      this.findings.push(`writer ${writer.toString()}, line ${line.toString()}: ${verdict} in ${where}`);
    }
  }
}

/** Audits the ledger of one database, where nobody writes any more, against its writers' histories. */
export async function auditLedger(
  address: DatabaseAddress,
  histories: readonly WriterHistory[],
): Promise<LedgerAudit> {
  const client = new pg.Client({ ...address });
  client.on('error', () => undefined);
  await client.connect();
  const verdicts = new Verdicts();
  try {
    await client.query(`SET search_path = ''; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    const rows = async <T>(schema: z.ZodType<T>, sql: string): Promise<T[]> =>
      z.array(schema).parse((await client.query(sql)).rows);
    const entries = byWriter(
      await rows(
        entryRow,
        'SELECT writer, seq, amount, body = ledger.words(writer, seq) AS right FROM ledger.entry ORDER BY id',
      ),
    );
    const counters = byWriter(await rows(counterRow, 'SELECT writer, seq, total FROM ledger.counter'));
    const notes = byWriter(
      await rows(
        noteRow,
        'SELECT writer, seq, revised, words = ledger.words(writer, seq) AS right FROM ledger.note',
      ),
    );
    const tasks = byWriter(await rows(taskRow, 'SELECT writer, seq, state, payload FROM ledger.task'));

    for (const history of histories) {
      const { writer } = history;
      for (const line of history.denied) verdicts.say('lost', writer, line, 'what the writer saw live');
      const own = entries.get(writer) ?? [];
      const last = lastLine(history, own);
      judgeEntries(verdicts, writer, last, own);
      judgeCounter(verdicts, writer, last, counters.get(writer)?.[0]);
      judgeKept(
        verdicts,
        writer,
        last,
        NOTES,
        notes.get(writer) ?? [],
        (row, lastNote) => row.right && row.revised === row.seq < lastNote,
      );
      judgeKept(verdicts, writer, last, TASKS, tasks.get(writer) ?? [], isRightTask);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
  const sum = (count: (history: WriterHistory) => number): number =>
    histories.reduce((total, history) => total + count(history), 0);
  return {
    acknowledged: sum((history) => history.lines + history.denied.length),
    lost: verdicts.lost.size,
    duplicated: verdicts.duplicated.size,
    reordered: verdicts.reordered.size,
    altered: verdicts.altered.size,
    foundCommitted: sum((history) => history.foundCommitted),
    foundAbsent: sum((history) => history.foundAbsent),
    unresolved: sum((history) => (history.unresolved === undefined ? 0 : 1)),
    faults: histories.flatMap((history) => history.faults),
    findings: verdicts.findings,
  };
}

/** True when every acknowledged line is there once, in order, as written, and nothing else. */
export function isSound(audit: LedgerAudit): boolean {
  return audit.lost + audit.duplicated + audit.reordered + audit.altered + audit.faults.length === 0;
}

/** Audits of several tenants as one. */
export function sumAudits(audits: readonly LedgerAudit[]): LedgerAudit {
  const sum = (count: (audit: LedgerAudit) => number): number =>
    audits.reduce((total, audit) => total + count(audit), 0);
  return {
    acknowledged: sum((audit) => audit.acknowledged),
    lost: sum((audit) => audit.lost),
    duplicated: sum((audit) => audit.duplicated),
    reordered: sum((audit) => audit.reordered),
    altered: sum((audit) => audit.altered),
    foundCommitted: sum((audit) => audit.foundCommitted),
    foundAbsent: sum((audit) => audit.foundAbsent),
    unresolved: sum((audit) => audit.unresolved),
    faults: audits.flatMap((audit) => audit.faults),
    findings: audits.flatMap((audit) => audit.findings),
  };
}

/** A line whose fate nobody could tell may be there or not. */
function lastLine(history: WriterHistory, entries: readonly Row[]): number {
  const { unresolved } = history;
  if (unresolved !== undefined && entries.some((row) => row.seq === unresolved)) return unresolved;
  return history.lines;
}

function judgeEntries(
  verdicts: Verdicts,
  writer: number,
  last: number,
  rows: readonly z.infer<typeof entryRow>[],
): void {
  const seen = new Set<number>();
  let highest = 0;
  for (const row of rows) {
    if (seen.has(row.seq) || row.seq > last) verdicts.say('duplicated', writer, row.seq, 'ledger.entry');
    else if (row.seq < highest) verdicts.say('reordered', writer, row.seq, 'ledger.entry');
    if (!row.right || row.amount !== amountOf(writer, row.seq))
      verdicts.say('altered', writer, row.seq, 'ledger.entry');
    seen.add(row.seq);
    highest = Math.max(highest, row.seq);
  }
  for (let line = 1; line <= last; line += 1)
    if (!seen.has(line)) verdicts.say('lost', writer, line, 'ledger.entry');
}

function judgeCounter(
  verdicts: Verdicts,
  writer: number,
  last: number,
  row: z.infer<typeof counterRow> | undefined,
): void {
  let total = 0;
  for (let line = 1; line <= last; line += 1) total += amountOf(writer, line);
  if (row === undefined || row.seq < last) verdicts.say('lost', writer, last, 'ledger.counter');
  else if (row.seq > last) verdicts.say('duplicated', writer, row.seq, 'ledger.counter');
  else if (row.total !== total) verdicts.say('altered', writer, last, 'ledger.counter');
}

/** Tables that keep the last of every second line only, one row each. */
function judgeKept<T extends Row>(
  verdicts: Verdicts,
  writer: number,
  lastOfAll: number,
  { table, remainder, reach }: typeof NOTES,
  rows: readonly T[],
  isRight: (row: T, last: number) => boolean,
): void {
  const last = lastOfAll % 2 === remainder ? lastOfAll : lastOfAll - 1;
  const first = Math.max(2 - remainder, last - reach + 2);
  const seen = new Set<number>();
  for (const row of rows) {
    if (seen.has(row.seq) || row.seq < first || row.seq > last || row.seq % 2 !== remainder)
      verdicts.say('duplicated', writer, row.seq, table);
    else if (!isRight(row, last)) verdicts.say('altered', writer, row.seq, table);
    seen.add(row.seq);
  }
  for (let line = first; line <= last; line += 2)
    if (!seen.has(line)) verdicts.say('lost', writer, line, table);
}

const payloadShape = z.strictObject({ amount: z.number(), checked: z.literal(true).optional() });

function isRightTask(row: z.infer<typeof taskRow>, last: number): boolean {
  const open = row.seq > last - TASKS_OPEN_REACH;
  const payload = payloadShape.safeParse(row.payload);
  return (
    payload.success &&
    row.state === (open ? 'open' : 'done') &&
    payload.data.amount === amountOf(row.writer, row.seq) &&
    payload.data.checked === (open ? undefined : true)
  );
}

function byWriter<T extends Row | { readonly writer: number }>(rows: readonly T[]): Map<number, T[]> {
  return Map.groupBy(rows, (row) => row.writer);
}
