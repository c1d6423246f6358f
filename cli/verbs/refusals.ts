import type { Command } from 'commander';
import type { RequestRecord } from '../../shared/domain/request.ts';
import type { Client } from '../client.ts';
import { jsonOption, spanOption } from '../options.ts';
import { pastHours } from '../past-hours.ts';
import { showDuration } from '../quantity.ts';
import type { Session } from '../session.ts';
import { styled } from '../text.ts';

export function addRefusals(program: Command, session: Session): void {
  program
    .command('refusals')
    .summary('requests and host changes that were refused, and why')
    .description('Events that were refused, newest first: from whom, where they are wrong, and the cure.')
    .addOption(spanOption())
    .addOption(jsonOption())
    .action(async ({ since, json = false }: { readonly since: number; readonly json?: boolean }) => {
      const client = await session.client();
      const { terminal } = session;
      const refusals = await refusalsSince(client, since);
      if (json) {
        terminal.json({ refusals: refusals.map(reportOf) });
        return;
      }
      if (refusals.length === 0) terminal.line(`Nothing was refused in the last ${showDuration(since)}.`);
      for (const { row, outcome } of refusals) {
        const { failure, field } = outcome;
        terminal.line([
          `${new Date(row.receivedAt).toISOString()}  `,
          styled('bad', failure.code),
          field === undefined ? '' : ` (${field})`,
          `: ${failure.sentence}`,
        ]);
        terminal.line(styled('faint', `  ${row.type}, ${row.source} ${row.id}; what next: ${failure.cure}`));
      }
    });
}

type Refused = Extract<RequestRecord['outcome'], { readonly kind: 'refused' }>;

async function refusalsSince(client: Client, sinceMs: number) {
  const keys = await pastHours(client.clock, sinceMs, (hour, cursor) =>
    client.views.refusalsAt(hour, cursor),
  );
  const rows = await client.store.loadMany('request', keys);
  return rows.flatMap((row): { readonly row: RequestRecord; readonly outcome: Refused }[] =>
    row?.outcome.kind === 'refused' ? [{ row, outcome: row.outcome }] : [],
  );
}

/** How many events were refused in the last so many milliseconds. */
export async function countRefusals(client: Client, sinceMs: number): Promise<number> {
  return (await pastHours(client.clock, sinceMs, (hour, cursor) => client.views.refusalsAt(hour, cursor)))
    .length;
}

function reportOf({ row, outcome }: { readonly row: RequestRecord; readonly outcome: Refused }) {
  const { code, sentence, cure } = outcome.failure;
  return {
    source: row.source,
    request: row.id,
    type: row.type,
    receivedAt: new Date(row.receivedAt).toISOString(),
    code,
    ...(outcome.field === undefined ? {} : { field: outcome.field }),
    sentence,
    cure,
  };
}
