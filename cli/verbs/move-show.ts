import type { Command } from 'commander';
import * as z from 'zod';
import { explainMove } from '../../shared/domain/explain.ts';
import { leadOf } from '../../shared/domain/move-reasons.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';
import { everyPage } from '../../shared/workflow/every-page.ts';
import { hostsOf } from '../../shared/workflow/explain/explain.ts';
import { outlookOn } from '../../shared/workflow/explain/outlook.ts';
import { unpack } from '../../shared/workflow/move-endpoint/carry.ts';
import { resultsOf } from '../../shared/workflow/move-endpoint/results.ts';
import type { HistoryEntry } from '../../shared/ports/store.ts';
import { CliError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { findMove } from '../find-move.ts';
import { doing, looks, progressBar, shareDone, stepNumber } from '../move-line.ts';
import { asMoveId } from '../names.ts';
import { jsonOption } from '../options.ts';
import { showBytes, showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';
import { sayExplanation } from './explain.ts';

/** What preflight leaves for people. */
const findingsSchema = z.array(
  z.object({
    code: z.string(),
    severity: z.enum(['blocker', 'action', 'warning']),
    object: z.string().optional(),
    sentence: z.string(),
    cure: z.string(),
  }),
);
type Finding = z.infer<typeof findingsSchema>[number];

/**
 * `dray move show <id>`. `move` itself takes the names of endpoints: only the word right behind it is looked at,
 * so that an endpoint called "show" is still reached by `dray move --to b show` or `dray move -- show`.
 */
export const moveShowName = 'move show';

export function moveShowCommand(create: (name: string) => Command, session: Session): Command {
  return create(moveShowName)
    .summary('what a move does, step by step')
    .description('A move: what it does, why it waits, what each step took, its history.')
    .argument('<id>', 'the move')
    .addOption(jsonOption())
    .action(async (id: string, { json = false }: { readonly json?: boolean }) => {
      await show(session, id, json);
    });
}

async function show(session: Session, text: string, json: boolean): Promise<void> {
  const id = asMoveId(text);
  const client = await session.client();
  const move = await findMove(client, id);
  const [hosts, history, findings] = await Promise.all([
    hostsOf(client, move),
    everyPage((cursor) => client.views.history(move.id, cursor)),
    readFindings(client, move),
  ]);
  const explanation = explainMove(move, hosts, await outlookOn(client, move, hosts));
  const results = resultsOf(move);
  const { status, run } = move.execution;
  if (json) {
    session.terminal.json({
      move: move.id,
      batch: move.batch,
      endpoint: move.endpoint,
      from: move.source,
      to: move.target,
      database: move.database,
      state: labelOf(move.execution),
      step: 'step' in status ? status.step : null,
      run,
      why: move.why,
      ...(move.reasons === undefined ? {} : { reasons: move.reasons }),
      ...(move.joined === undefined ? {} : { joined: move.joined }),
      mode: results.preflight?.mode ?? null,
      bytes: results.preflight?.sizeBytes ?? null,
      predictedPauseMs: results.freeze?.predictedMs ?? null,
      pauseMs: results.activate?.pauseMs ?? null,
      timings: Object.fromEntries(timesOf(move).map(({ name, ms }) => [name, ms])),
      findings: findings ?? null,
      history,
      sentence: explanation.sentence,
      blockers: explanation.blockers,
      actions: explanation.actions,
    });
    return;
  }
  const { terminal } = session;
  const { style, mark } = looks[labelOf(move.execution)];
  terminal.line([
    styled('strong', `move ${move.id}`),
    `  ${move.endpoint}  ${move.source} → ${move.target} (${move.why})`,
  ]);
  terminal.line([
    styled(style, `${mark} ${doing(move)}`),
    `  ${stepNumber(move)}  `,
    progressBar(shareDone(move), 20, style),
    results.preflight === undefined
      ? ''
      : `  ${showBytes(results.preflight.sizeBytes)}, ${results.preflight.mode}`,
    results.activate === undefined
      ? ''
      : `, writers paused ${showDuration(results.activate.pauseMs)} (predicted ${showDuration(results.freeze?.predictedMs ?? 0)})`,
  ]);
  for (const line of reasonLines(move)) terminal.line(line);
  // What `move show` shows need not be recommended.
  const actions = explanation.actions.filter((action) => action !== `dray move show ${move.id}`);
  sayExplanation(terminal, { ...explanation, actions });
  for (const line of findingLines(findings)) terminal.line(line);
  for (const line of timingLines(move)) terminal.line(line);
  for (const line of historyLines(history)) terminal.line(line);
  terminal.line(styled('faint', `  dray batch show ${move.batch}`));
}

/** Who wants it moved, the one whose words count first. */
function reasonLines(move: Move): Text[] {
  const { reasons = [] } = move;
  if (reasons.length === 0) return [];
  const lead = leadOf(move);
  return [
    `wanted by ${String(reasons.length)}:`,
    ...reasons
      .toSorted((one, other) => Number(other.batch === lead) - Number(one.batch === lead))
      .map(
        ({ batch, by, reason, priority }) => `  ${batch}  ${reason} (${by}, priority ${String(priority)})`,
      ),
  ];
}

/** @returns undefined when they are too long for the row, and only that can be reached */
async function readFindings({ blobs }: Client, move: Move): Promise<readonly Finding[] | undefined> {
  const { preflight } = resultsOf(move);
  if (preflight === undefined) return [];
  try {
    const parsed = findingsSchema.safeParse(await unpack(blobs, preflight.findings));
    return parsed.success ? parsed.data : [];
  } catch (error) {
    if (error instanceof CliError && error.refusal.code === 'api-cannot') return undefined;
    throw error;
  }
}

function findingLines(findings: readonly Finding[] | undefined): Text[] {
  if (findings === undefined)
    return ['preflight found more than the status API can tell: ask the stage itself'];
  if (findings.length === 0) return [];
  return [
    'preflight found:',
    ...findings.map(({ severity, code, object, sentence, cure }): Text => [
      '  ',
      styled(severity === 'blocker' ? 'bad' : 'attention', severity),
      `  ${code}${object === undefined ? '' : ` (${object})`}: ${sentence}; ${cure}`,
    ]),
  ];
}

/** What each finished step took, in the order of the steps. */
function timesOf({ execution: { timings } }: Move) {
  return moveEndpointShape.steps.flatMap(({ name }, index) => {
    const ms = timings[name];
    return ms === undefined ? [] : [{ number: index + 1, name, ms }];
  });
}

function timingLines(move: Move): Text[] {
  const rows = timesOf(move).map(({ number, name, ms }): Text[] => [
    `  ${String(number)}`,
    name,
    showDuration(ms),
  ]);
  return rows.length === 0 ? [] : ['steps:', ...columns(rows, new Set([0, 2]))];
}

function historyLines(history: readonly HistoryEntry[]): Text[] {
  const rows = history.map(({ at, fact, from, to, step, note }): Text[] => [
    `  ${new Date(at).toISOString()}`,
    fact,
    from === to ? to : `${from} → ${to}`,
    step ?? '',
    note ?? '',
  ]);
  return rows.length === 0 ? [] : ['history:', ...columns(rows)];
}
