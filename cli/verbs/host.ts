import type { Command } from 'commander';
import type { Json } from '../../shared/domain/json.ts';
import { permitsOf, type Host, type PermitSide } from '../../shared/domain/host.ts';
import { loadFleet } from '../../shared/workflow/planning/fleet.ts';
import { findHost } from '../names.ts';
import { bytes, jsonOption, jsonPair, requestIdOption, textPair } from '../options.ts';
import { showBytes } from '../quantity.ts';
import { submit } from '../request.ts';
import type { Session } from '../session.ts';
import { columns, styled, type Text } from '../text.ts';
import { splitPassword } from '../split-password.ts';
import { addHostChanges } from './host-changes.ts';
import { addHostShow, reportOfHost } from './host-show.ts';
import { addCommands } from './commands.ts';
import { addDrain } from './drain.ts';
import { draftOf, sayAccepted, sayRefused, type PublishedOptions } from './publishing.ts';

interface AddOptions extends PublishedOptions {
  readonly driver: string;
  readonly url: string;
  readonly zone: string;
  readonly capacity?: number;
  readonly clientAddress?: string;
  readonly replicationAddress?: string;
  readonly secret?: string;
  readonly passwordStdin?: boolean;
  readonly label?: Readonly<Record<string, string>>;
  readonly option?: Readonly<Record<string, Json>>;
}

export function addHost(program: Command, session: Session): void {
  const group = program
    .command('host')
    .summary('hosts: add, list, show, change, cordon, uncordon, drain, fail, recover, remove')
    .description('The servers that hold endpoints.');
  group
    .command('add')
    .summary('register a host')
    .description('Registers a host. It is reached and read at once: a wrong address or password is refused.')
    .argument('<name>', 'what the host is to be called')
    .option('--driver <name>', 'the engine of data: postgres, simulated', 'postgres')
    .requiredOption('--url <url>', "the mover's way in: postgres://user:password@host:port/database")
    .option('--zone <zone>', 'where it stands', 'default')
    .option('--capacity <size>', 'what it may hold, e.g. 100GB; without it space is not checked', bytes)
    .option('--client-address <host:port>', 'how clients reach it, if not by the address of --url')
    .option(
      '--replication-address <host:port>',
      'how the other hosts reach it, if not by the address of --url',
    )
    .option('--secret <reference>', 'the password is kept already: the name or ARN of its secret')
    .option('--password-stdin', 'read the password from standard input')
    .option('--label <key=value>', 'a label; may be given more than once', textPair)
    .option('--option <key=value>', "a setting of the driver's; may be given more than once", jsonPair)
    .addOption(jsonOption())
    .addOption(requestIdOption())
    .addHelpText(
      'after',
      `
The password is taken out of the url and kept as a secret; no event, row or log has it.

Examples:
  dray host add a --url postgres://mover:secret@10.0.0.1:5432/postgres --zone rack-7 --capacity 100GB
  dray host add b --url postgres://mover@10.0.0.2/postgres --password-stdin < password
`,
    )
    .action(async (name: string, options: AddOptions) => {
      session.exitCode = await add(session, name, options);
    });
  addHostChanges(group, session);
  addHostShow(group, session);
  addCommands(group, session, 'host');
  addDrain(group, session);
  group
    .command('list')
    .summary('all hosts')
    .description('All hosts: what they hold, what is wanted of them, and how they are.')
    .addOption(jsonOption())
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      await list(session, json);
    });
}

async function add(session: Session, name: string, options: AddOptions): Promise<number> {
  const client = await session.client();
  const { url, password: inUrl } = splitPassword(options.url);
  const password = options.passwordStdin === true ? (await session.readStdin()).replace(/\r?\n$/, '') : inUrl;
  const id = options.requestId ?? client.chance.unique();
  const { zone, driver, capacity, clientAddress, replicationAddress } = options;
  const data = {
    name,
    driver,
    url,
    zone,
    ...(capacity === undefined ? {} : { capacityBytes: capacity }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
    ...(replicationAddress === undefined ? {} : { replicationAddress }),
    ...(options.label === undefined ? {} : { labels: options.label }),
    ...(options.option === undefined ? {} : { options: options.option }),
  };
  const reference =
    options.secret ??
    (password === undefined ? undefined : `drayage/${client.installation.names.installation}/hosts/${name}`);
  const takeBack =
    options.secret === undefined && password !== undefined && reference !== undefined
      ? await client.vault.keep(reference, password)
      : undefined;
  const outcome = await submit(
    client,
    draftOf('host.registered', { ...data, ...(reference === undefined ? {} : { secret: reference }) }, id),
  );
  if (outcome.kind === 'refused') {
    // The password of a refusal was perhaps wrong: what worked before must go on working.
    await takeBack?.();
    return sayRefused(session, id, outcome, options);
  }
  sayAccepted(session, id, outcome, options);
  if (options.json !== true) {
    const host = await findHost(client, name);
    session.terminal.line(
      `${host.name}: ${host.driver} ${host.serverVersion} at ${host.clientAddress}, at most ${String(host.movesOut)} moves out and ${String(host.movesIn)} in at once`,
    );
    const next =
      host.intent.value === 'retired' ? `host uncordon ${host.name}` : `endpoint discover ${host.name} --add`;
    session.terminal.line(styled('faint', `  dray ${next}`));
  }
  return 0;
}

async function list(session: Session, json: boolean): Promise<void> {
  const { terminal } = session;
  const fleet = (await loadFleet(await session.client())).sort((one, other) =>
    one.host.name < other.host.name ? -1 : 1,
  );
  if (json) {
    terminal.json({ hosts: fleet.map(({ host, ...stored }) => reportOfHost(host, stored)) });
    return;
  }
  if (fleet.length === 0) {
    terminal.line(
      'There are no hosts yet. Add one: dray host add <name> --url postgres://user:password@host:port/postgres',
    );
    return;
  }
  const head = ['host', 'address', 'server', 'zone', 'state', 'endpoints', 'stored', 'of', 'out', 'in'];
  const rows = fleet.map(({ host, endpoints, bytes: stored }): Text[] => {
    const ailments = Object.keys(host.signals);
    const well = host.intent.value === 'active' && ailments.length === 0;
    const state = ailments.length === 0 ? host.intent.value : `${host.intent.value}, ${ailments.join(', ')}`;
    return [
      host.name,
      host.clientAddress,
      `${host.driver} ${host.serverVersion}`,
      host.zone,
      well ? state : styled('attention', state),
      String(endpoints),
      showBytes(stored),
      host.capacityBytes === undefined ? '–' : showBytes(host.capacityBytes),
      permitsInUse(host, 'out'),
      permitsInUse(host, 'in'),
    ];
  });
  for (const line of columns(
    [head.map((word) => styled('faint', word)), ...rows],
    new Set([5, 6, 7, 8, 9]),
  )) {
    terminal.line(line);
  }
}

/** How many are held, of how many; and how many there are when the host is not spared. */
function permitsInUse(host: Host, side: PermitSide): string {
  const [held, most] =
    side === 'out' ? [host.permitsOut.length, host.movesOut] : [host.permitsIn.length, host.movesIn];
  const limit = permitsOf(host, side);
  return `${String(held)}/${String(limit)}${limit === most ? '' : ` (of ${String(most)})`}`;
}
