import type { Command } from 'commander';
import { explainHost } from '../../shared/domain/explain-host.ts';
import type { Host } from '../../shared/domain/host.ts';
import { storedOn } from '../../shared/workflow/planning/fleet.ts';
import { findHost } from '../names.ts';
import { jsonOption } from '../options.ts';
import { showBytes } from '../quantity.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';
import { sayExplanation } from './explain.ts';

export function addHostShow(group: Command, session: Session): void {
  group
    .command('show')
    .summary('a host: what it is, how it is, what is wanted of it')
    .description('All that is known of a host, what is wrong with it, and what you can do.')
    .argument('<name>', 'the host')
    .addOption(jsonOption())
    .action(async (name: string, { json = false }: { readonly json?: boolean }) => {
      const client = await session.client();
      const host = await findHost(client, name);
      const stored = await storedOn(client, host.name);
      const { terminal } = session;
      if (json) {
        terminal.json({ ...reportOfHost(host, stored), ...detailsOf(host) });
        return;
      }
      const explanation = explainHost(host, stored, client.clock.now());
      terminal.line(styled('strong', explanation.subject));
      for (const line of columns(factsOf(host, stored))) terminal.line(['  ', line]);
      sayExplanation(terminal, explanation);
    });
}

interface Stored {
  readonly bytes: number;
  readonly endpoints: number;
}

/** A host as every verb that prints hosts prints it for programs. */
export function reportOfHost(host: Host, { endpoints, bytes }: Stored) {
  return {
    host: host.name,
    driver: host.driver,
    version: host.serverVersion,
    address: host.clientAddress,
    replicationAddress: host.replicationAddress,
    zone: host.zone,
    intent: host.intent.value,
    reason: host.intent.reason,
    signals: Object.fromEntries(Object.entries(host.signals).map(([name, { since }]) => [name, since])),
    endpoints,
    bytes,
    capacityBytes: host.capacityBytes ?? null,
    permits: {
      out: { held: host.permitsOut.length, limit: host.movesOut },
      in: { held: host.permitsIn.length, limit: host.movesIn },
    },
  };
}

function detailsOf({ labels, intent, signals }: Host) {
  return {
    labels,
    sequence: intent.sequence,
    deadline: intent.deadline ?? null,
    health: Object.entries(signals).map(([signal, { kind, since, at, reason }]) => ({
      signal,
      kind,
      since,
      at,
      ...(reason === undefined ? {} : { reason }),
    })),
  };
}

function factsOf(host: Host, { bytes }: Stored): Text[][] {
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ['server', `${host.driver} ${host.serverVersion}`],
    ['address', host.clientAddress],
    ['replication', host.replicationAddress],
    ['zone', host.zone],
    [
      'stored',
      host.capacityBytes === undefined
        ? showBytes(bytes)
        : `${showBytes(bytes)} of ${showBytes(host.capacityBytes)}`,
    ],
    ['labels', labels.length === 0 ? '–' : labels.join(', ')],
  ].map(([word = '', fact = '']) => [styled('faint', word), fact]);
}
