import type { Command } from 'commander';
import { explainHost } from '../../shared/domain/explain-host.ts';
import { healingText, stageOf } from '../../shared/domain/healing.ts';
import { holdingOf, type Holding } from '../../shared/domain/holding.ts';
import { permitsOf, type Host } from '../../shared/domain/host.ts';
import type { MoveId } from '../../shared/domain/ids.ts';
import type { Move } from '../../shared/domain/move.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { readFleet } from '../../shared/workflow/fleet-record.ts';
import { storedOn } from '../../shared/workflow/planning/fleet.ts';
import type { Client } from '../client.ts';
import { findHost, placementsOf } from '../names.ts';
import { jsonOption } from '../options.ts';
import { showBytes } from '../quantity.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';
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
      const { stored, holdings, stage } = await lookAt(client, host);
      const { terminal } = session;
      if (json) {
        terminal.json({
          ...reportOfHost(host, stored),
          ...detailsOf(host),
          healing: healingText(stage, host) ?? null,
          holds: holdings,
        });
        return;
      }
      const explanation = explainHost(host, stored, client.clock.now(), stage);
      terminal.line(styled('strong', explanation.subject));
      for (const line of columns(factsOf(host, stored))) terminal.line(['  ', line]);
      sayExplanation(terminal, explanation);
      for (const holding of holdings) sayHolding(terminal, holding);
    });
}

/** What is on a host; while it has failed, endpoint by endpoint: what becomes of each, and what is needed. */
async function lookAt(client: Client, host: Host) {
  const [stored, { knobs }] = await Promise.all([storedOn(client, host.name), readFleet(client)]);
  const stage = stageOf(host, knobs, client.clock.now());
  if (stage.kind === 'none') return { stored, stage, holdings: [] };
  const placements = await placementsOf(client, host.name);
  const moves = await movesOf(client, placements);
  const next = healingText(stage, host) ?? '';
  const holdings = placements.map((placement) => {
    const id = placement.claim?.move ?? placement.lastMove;
    return holdingOf(host, placement, id === undefined ? undefined : moves.get(id), next);
  });
  return { stored, stage, holdings };
}

async function movesOf({ store }: Client, placements: readonly Placement[]): Promise<Map<MoveId, Move>> {
  const moves = await store.loadMany(
    'move',
    placements.flatMap(({ claim, lastMove }) => {
      const id = claim?.move ?? lastMove;
      return id === undefined ? [] : [{ id }];
    }),
  );
  return new Map(moves.flatMap((move) => (move === undefined ? [] : [[move.id, move] as const])));
}

function sayHolding(terminal: Terminal, { endpoint, bytes, state, sentence, needs }: Holding): void {
  const isGood = state === 'leaving';
  terminal.line([
    styled(isGood ? 'faint' : 'attention', isGood ? '  … ' : '  ! '),
    `${endpoint} (${showBytes(bytes)}): ${sentence}`,
  ]);
  for (const need of needs) terminal.line(styled('faint', `      ${need}`));
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
      out: { held: host.permitsOut.length, limit: permitsOf(host, 'out'), most: host.movesOut },
      in: { held: host.permitsIn.length, limit: permitsOf(host, 'in'), most: host.movesIn },
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
