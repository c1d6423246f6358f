import type { Command } from 'commander';
import { findCloud } from '../../local/cloud.ts';
import { isBatchId, isMoveId } from '../../shared/domain/ids.ts';
import { placeOfBatch, placeOfMove } from '../../shared/domain/trace.ts';
import type { Client } from '../client.ts';
import { CliError } from '../cli-error.ts';
import { findMove } from '../find-move.ts';
import { unknownBatch } from '../follow.ts';
import { chooseStateDir } from '../installation.ts';
import { findEndpoint } from '../names.ts';
import { jsonOption } from '../options.ts';
import type { Session } from '../session.ts';
import { spansOf } from '../span-log.ts';
import { treeAt, treeLines, treesOf, type SpanTree } from '../span-tree.ts';
import { styled } from '../text.ts';

export function addTrace(program: Command, session: Session): void {
  program
    .command('trace')
    .summary('what was done for a batch or a move, when, and how long it took')
    .description(
      'The trace of a batch, a move, or the last move of an endpoint; on an embedded cloud all of its spans as a tree, of a deployed stage its id, by which the collector of the stage has them.',
    )
    .argument('<id-or-name>', 'bt_…, mv_…, the id of a trace, or the name of an endpoint')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  dray trace shop\n  dray trace bt_… --json\n')
    .action(async (what: string, { json = false }: { readonly json?: boolean }) => {
      // The status API does not tell whose trace it is.
      const { env } = await session.installation();
      const wanted = await find(await session.client(), what);
      const stateDir = chooseStateDir(session.stateDir, session.surroundings.env);
      const cloud = await findCloud(stateDir);
      const isHere = cloud !== undefined && cloud.env['AWS_ENDPOINT_URL'] === env['AWS_ENDPOINT_URL'];
      const trees = isHere ? treesOf(await spansOf(stateDir, wanted.trace)) : undefined;
      say(session, wanted, trees, json);
    });
}

interface Wanted {
  readonly trace: string;
  /** Only what is a part of this span. */
  readonly span?: string;
}

const traceId = /^[0-9a-f]{32}$/;

async function find(client: Client, what: string): Promise<Wanted> {
  if (traceId.test(what)) return { trace: what };
  if (isBatchId(what)) {
    const batch = await client.store.load('batch', { id: what });
    if (batch === undefined) throw unknownBatch(what);
    return { trace: placeOfBatch(batch).trace };
  }
  if (isMoveId(what)) return placeOfMove(await findMove(client, what));
  const { lastMove, endpoint } = await findEndpoint(client, what);
  if (lastMove !== undefined) return placeOfMove(await findMove(client, lastMove));
  throw new CliError({
    code: 'never-moved',
    sentence: `${endpoint} has not been moved`,
    cure: `see how it is: dray endpoint show ${endpoint}`,
  });
}

/** Of a move that is not settled yet, what has been told of it so far. */
function below(trees: readonly SpanTree[], place: string): readonly SpanTree[] {
  const whole = treeAt(trees, place);
  return whole === undefined ? trees.filter(({ span }) => span.parent === place) : [whole];
}

function say(
  { terminal }: Session,
  { trace, span }: Wanted,
  all: readonly SpanTree[] | undefined,
  json: boolean,
): void {
  const trees = all === undefined || span === undefined ? all : below(all, span);
  if (json) {
    terminal.json({ trace, ...(span === undefined ? {} : { span }), spans: trees ?? null });
    return;
  }
  terminal.line(['trace ', styled('strong', trace), ...(span === undefined ? [] : [', span ', span])]);
  if (trees === undefined)
    terminal.line('  Its spans are where the stage sends them (traceEndpoint), under this id.');
  else if (trees.length === 0) terminal.line('  Nothing of it has been told here.');
  else for (const line of treeLines(trees)) terminal.line(['  ', line]);
}
