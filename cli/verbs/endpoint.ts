import type { Command } from 'commander';
import type { Host } from '../../shared/domain/host.ts';
import type { HostName } from '../../shared/domain/ids.ts';
import type { Placement } from '../../shared/domain/placement.ts';
import { findEndpoint, findHost, placementsOf } from '../names.ts';
import { bytes, jsonOption, requestIdOption } from '../options.ts';
import { showBytes } from '../quantity.ts';
import { submit } from '../request.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';
import { discover, sizeOfDatabase } from './discover.ts';
import { addEndpointChange, wishesOf, wishOptions, type WishOptions } from './endpoint-change.ts';
import { addCommands } from './commands.ts';
import { draftOf, sayAccepted, sayRefused, type PublishedOptions } from './publishing.ts';

interface AddOptions extends PublishedOptions, WishOptions {
  readonly size?: number;
  readonly host: string;
  readonly database: string;
}

export function addEndpoint(program: Command, session: Session): void {
  const group = program
    .command('endpoint')
    .summary('endpoints: add, change, discover, show, list')
    .description('The named units of data that move.');
  addEndpointChange(group, session);
  addCommands(group, session, 'endpoint');
  const add = group
    .command('add')
    .summary('register a database as an endpoint')
    .description('Registers a database that exists as an endpoint, under a name that stays when it moves.')
    .argument('<name>', 'what clients are to call it')
    .requiredOption('--host <host>', 'the host that it is on')
    .requiredOption('--database <database>', 'what it is called there')
    .option('--size <size>', 'how large it is, e.g. 3GB; without it the host is asked', bytes)
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText('after', '\nExample:\n  dray endpoint add shop --host a --database shop_production\n')
    .action(async (name: string, options: AddOptions) => {
      session.exitCode = await register(session, name, options);
    });
  for (const option of wishOptions()) add.addOption(option);
  group
    .command('discover')
    .summary('list the databases of a host')
    .description('Lists the databases of a host, and registers them if asked to.')
    .argument('<host>', 'the host to look at')
    .option('--add', 'register every database that is no endpoint yet')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  dray endpoint discover a --add\n')
    .action(async (host: string, options: { readonly add?: boolean; readonly json?: boolean }) => {
      session.exitCode = await discover(session, host, options);
    });
  group
    .command('show')
    .summary('where an endpoint is now')
    .description('Where an endpoint is now: host, address, database, epoch.')
    .argument('<name>', 'the endpoint')
    .addOption(jsonOption())
    .action(async (name: string, { json = false }: { readonly json?: boolean }) => {
      await show(session, name, json);
    });
  group
    .command('list')
    .summary('all endpoints')
    .description('All endpoints, or those of one host.')
    .option('--host <host>', 'only those on this host')
    .addOption(jsonOption())
    .action(async ({ host, json = false }: { readonly host?: string; readonly json?: boolean }) => {
      await list(session, host, json);
    });
}

async function register(session: Session, name: string, options: AddOptions): Promise<number> {
  const client = await session.client();
  const { host, database, size } = options;
  const id = options.requestId ?? client.chance.unique();
  const sizeBytes = size ?? (await sizeOfDatabase(session, client, await findHost(client, host), database));
  const outcome = await submit(
    client,
    draftOf(
      'endpoint.registered',
      {
        name,
        host,
        database,
        ...wishesOf(options),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      },
      id,
    ),
  );
  if (outcome.kind === 'refused') return sayRefused(session, id, outcome, options);
  sayAccepted(session, id, outcome, options);
  if (options.json !== true) {
    session.terminal.line(
      `${name}: database ${database} on ${host}${sizeBytes === undefined ? '' : `, ${showBytes(sizeBytes)}`}`,
    );
  }
  return 0;
}

async function show(session: Session, name: string, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  const placement = await findEndpoint(client, name);
  const host = await client.store.load('host', { name: placement.host });
  const report = reportOf(placement, host);
  if (json) {
    terminal.json(report);
    return;
  }
  const claim = placement.claim?.move;
  const facts: Text[][] = [
    ['endpoint', styled('strong', report.endpoint)],
    ['host', report.host],
    ['address', report.address],
    ['database', report.database],
    ['epoch', String(report.epoch)],
    ['state', report.state],
    ['size', showBytes(placement.sizeBytes)],
    ...(placement.group === undefined
      ? []
      : [
          [
            'group',
            `${placement.group.name}, no two ${placement.group.spread === 'hosts' ? 'on one host' : 'in one zone'}`,
          ],
        ]),
    ...(placement.zones === undefined ? [] : [['only in', placement.zones.join(', ')]]),
    ...(placement.pin === undefined ? [] : [['pinned to', placement.pin]]),
    ...Object.entries(placement.labels).map(([key, value]) => ['label', `${key}=${value}`]),
    ...(claim === undefined ? [] : [['moved by', `${claim}  (dray move show ${claim})`]]),
  ];
  for (const line of columns(facts)) terminal.line(line);
}

/** Where clients find it. This shape is stable (docs/cli.md). */
function reportOf({ endpoint, host, database, epoch, arbitration }: Placement, at: Host | undefined) {
  return { endpoint, host, address: at?.clientAddress ?? '', database, epoch, state: arbitration.kind };
}

async function list(session: Session, host: string | undefined, json: boolean): Promise<void> {
  const { terminal } = session;
  const client = await session.client();
  const placements = await placementsOf(client, host);
  const names = [...new Set(placements.map((placement) => placement.host))];
  const loaded = await client.store.loadMany(
    'host',
    names.map((name) => ({ name })),
  );
  const hosts = new Map<HostName, Host>(
    loaded.flatMap((each) => (each === undefined ? [] : [[each.name, each] as const])),
  );
  if (json) {
    const endpoints = placements.map((placement) => ({
      ...reportOf(placement, hosts.get(placement.host)),
      bytes: placement.sizeBytes,
      move: placement.claim?.move ?? null,
      labels: placement.labels,
      group: placement.group ?? null,
      zones: placement.zones ?? null,
      pin: placement.pin ?? null,
    }));
    terminal.json({ endpoints });
    return;
  }
  if (placements.length === 0) {
    terminal.line('There are no endpoints here. Look for databases on a host: dray endpoint discover <host>');
    return;
  }
  const rows = placements.map((placement): Text[] => [
    placement.endpoint,
    placement.host,
    hosts.get(placement.host)?.clientAddress ?? '–',
    placement.database,
    showBytes(placement.sizeBytes),
    String(placement.epoch),
    placement.arbitration.kind === 'serving' ? 'serving' : styled('attention', placement.arbitration.kind),
    placement.claim?.move ?? '',
  ]);
  const head = ['endpoint', 'host', 'address', 'database', 'size', 'epoch', 'state', 'moved by'];
  for (const line of columns([head.map((word) => styled('faint', word)), ...rows], new Set([4, 5]))) {
    terminal.line(line);
  }
}
