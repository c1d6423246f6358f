import type { Command } from 'commander';
import type { Difference } from '../../shared/domain/audit/scene.ts';
import { audit, type Audit, type AuditServices } from '../../shared/workflow/audit/audit.ts';
import { repairAll, type Repaired } from '../../shared/workflow/audit/repair.ts';
import { cannot } from '../api/cannot.ts';
import { exit, usageError } from '../cli-error.ts';
import type { Client } from '../client.ts';
import { jsonOption } from '../options.ts';
import { count } from '../quantity.ts';
import { ourSource, type Session } from '../session.ts';
import { styled } from '../text.ts';

interface AuditOptions {
  readonly repair?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

export function addAudit(program: Command, session: Session): void {
  program
    .command('audit')
    .summary('compare rows with what is really on every host, and put right what is safe')
    .description(
      'Asks every host for its databases and for what moves have left there, and lists where the table says something ' +
        'else, with what would put it right. Changes nothing without --repair. Exit code 1 while something differs.',
    )
    .option('--repair', 'put right what is safe: placements, epochs, claims, orphans')
    .option('--reason <text>', 'why, for whoever looks at it later; with --repair')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  dray audit\n  dray --stage prod audit --json\n  dray audit --repair --reason "the table was restored"\n',
    )
    .action(async (options: AuditOptions) => {
      if (session.api !== undefined) throw cannot('way to hosts');
      const reason = options.repair === true ? asReason(options.reason) : undefined;
      const client = await session.client();
      const services = servicesOf(client);
      const found = await audit(services);
      if (reason !== undefined) await record(client, reason, found.differences);
      const results = reason === undefined ? undefined : await repairAll(services, found.differences);
      const left = results?.filter(({ outcome }) => outcome === 'refused') ?? found.differences;
      session.exitCode = left.length > 0 ? exit.failed : exit.done;
      if (options.json === true) session.terminal.json(reportOf(found, results));
      else say(session, found, results);
    });
}

function asReason(reason: string | undefined): string {
  if (reason !== undefined && reason.trim() !== '') return reason;
  throw usageError(
    'reason-missing',
    'Rows are repaired only with a reason, which is kept',
    'say why: dray audit --repair --reason …',
  );
}

function servicesOf(client: Client): AuditServices {
  const { store, views, secrets, driver, clock, installation } = client;
  const quiet = (): void => undefined;
  return {
    store,
    views,
    secrets,
    driver,
    clock,
    log: { info: quiet, warn: quiet, error: quiet },
    meter: { note: quiet },
    settings: { installation: installation.names.installation, ...client.settings },
  };
}

/** Of so many repairs the record names what they are of. */
const mostNamed = 20;

/**
 * Who repairs rows, when, why and what: kept where every other word of a person is, before anything is done.
 * Where nothing can be repaired nothing is kept.
 */
async function record(
  { store, chance, clock }: Client,
  why: string,
  differences: readonly Difference[],
): Promise<void> {
  const what = differences.flatMap(({ code, subject, repair }) =>
    repair === undefined ? [] : [`${code} of ${subject}`],
  );
  if (what.length === 0) return;
  const more = what.length > mostNamed ? `, and ${String(what.length - mostNamed)} more` : '';
  const reason = `${why} (${what.slice(0, mostNamed).join(', ')}${more})`;
  const id = `audit-${chance.unique()}`;
  await store.insert('request', {
    source: ourSource(),
    id,
    type: 'rows.repaired',
    bodyHash: chance.digest(id, reason),
    reason,
    outcome: { kind: 'accepted' },
    receivedAt: clock.now(),
    version: 1,
  });
}

function reportOf({ endpoints, hosts, differences }: Audit, results: readonly Repaired[] | undefined) {
  return {
    endpoints,
    hosts,
    differences: differences.map(({ code, subject, sentence, cure, repair }, index) => ({
      code,
      subject,
      sentence,
      cure,
      repairable: repair !== undefined,
      ...results?.[index],
    })),
  };
}

function say(
  { terminal }: Session,
  { endpoints, hosts, differences }: Audit,
  results: readonly Repaired[] | undefined,
): void {
  differences.forEach(({ code, subject, sentence, cure, repair }: Difference, index) => {
    const result = results?.[index];
    const isRepaired = result?.outcome === 'repaired';
    terminal.line([
      isRepaired ? styled('good', '✓ ') : styled('bad', '✗ '),
      styled('strong', subject),
      `: ${sentence} (${code})`,
    ]);
    const next = repair === undefined ? 'by hand' : 'dray audit --repair --reason …';
    const faint = isRepaired
      ? `repaired: ${cure}`
      : result === undefined
        ? `what next (${next}): ${cure}`
        : `not repaired: ${result.why}`;
    terminal.line(styled('faint', `    ${faint}`));
  });
  const asked = `${count(endpoints, 'endpoint')} and ${count(hosts.length, 'host')} compared`;
  terminal.line(
    differences.length === 0
      ? styled('good', `${asked}: they agree`)
      : `${asked}: ${count(differences.length, 'difference')}`,
  );
}
