import { StepFailure } from '../../shared/domain/failure.ts';
import type { Host } from '../../shared/domain/host.ts';
import type { DiscoveredEndpoint } from '../../shared/ports/driver.ts';
import { siteOf } from '../../shared/workflow/host-site.ts';
import type { Client } from '../client.ts';
import { CliError, exit } from '../cli-error.ts';
import { nameFor } from '../name-for.ts';
import { findHost, placementsOf } from '../names.ts';
import { showBytes } from '../quantity.ts';
import { submit, type Outcome } from '../request.ts';
import type { Session } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { columns, styled, type Text } from '../text.ts';
import { draftOf } from './publishing.ts';

export interface DiscoverOptions {
  readonly add?: boolean;
  readonly json?: boolean;
}

interface Found extends DiscoveredEndpoint {
  /** What it is called, or would be. */
  readonly endpoint: string;
  readonly registered: boolean;
  readonly outcome?: Outcome;
}

/** Registrations in flight at once. */
const lanes = 8;

/** Lists what is on a host. @returns the exit code */
export async function discover(session: Session, name: string, options: DiscoverOptions): Promise<number> {
  const client = await session.client();
  const host = await findHost(client, name);
  const databases = await databasesOf(client, host);
  const placed = new Map(
    (await placementsOf(client, host.name)).map(({ database, endpoint }) => [database, endpoint]),
  );
  const found: Found[] = databases.map((each) => {
    const endpoint = placed.get(each.database);
    return {
      ...each,
      endpoint: endpoint ?? nameFor(client.chance, each.database),
      registered: endpoint !== undefined,
    };
  });
  const result = options.add === true ? await registerAll(client, host, found) : found;
  say(session, host, result, options);
  return result.some(({ outcome }) => outcome?.kind === 'refused') ? exit.failed : exit.done;
}

/** @throws StepFailure as the driver says it */
async function databasesOf(client: Client, host: Host): Promise<readonly DiscoveredEndpoint[]> {
  const driver = await client.driver(host.driver);
  return driver.discover(await siteOf(client, host));
}

/**
 * How large a database is. A host that cannot be reached from here is taken at its word.
 * @throws CliError `database-unknown`
 */
export async function sizeOfDatabase(
  session: Session,
  client: Client,
  host: Host,
  database: string,
): Promise<number | undefined> {
  let found: readonly DiscoveredEndpoint[];
  try {
    found = await databasesOf(client, host);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    session.terminal.note(`${host.name} was not asked about ${database}: ${error.failure.sentence}`);
    return undefined;
  }
  const size = found.find((each) => each.database === database)?.sizeBytes;
  if (size !== undefined) return size;
  throw new CliError({
    code: 'database-unknown',
    field: '--database',
    sentence: `${host.name} has no database ${database} that could be an endpoint`,
    cure: didYouMean(
      database,
      found.map((each) => each.database),
      `see what there is with dray endpoint discover ${host.name}`,
    ),
  });
}

async function registerAll(client: Client, host: Host, found: readonly Found[]): Promise<Found[]> {
  const result = [...found];
  const open = found.flatMap((each, index) => (each.registered ? [] : [{ each, index }]));
  const work = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      result[next.index] = await register(client, host, next.each);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return result;
}

/** Under another host's database of that name, it gets a name of its own. */
async function register(client: Client, host: Host, found: Found): Promise<Found> {
  const own = nameFor(client.chance, found.database, host.name);
  for (const endpoint of [found.endpoint, own]) {
    const outcome = await submit(
      client,
      draftOf(
        'endpoint.registered',
        { name: endpoint, host: host.name, database: found.database, sizeBytes: found.sizeBytes },
        client.chance.unique(),
      ),
    );
    const taken = outcome.kind === 'refused' && outcome.refusal.code === 'endpoint-exists';
    if (!taken || endpoint === own) return { ...found, endpoint, outcome };
  }
  return found;
}

function say(
  session: Session,
  host: Host,
  found: readonly Found[],
  { json = false, add = false }: DiscoverOptions,
): void {
  const { terminal } = session;
  if (json) {
    terminal.json({
      host: host.name,
      databases: found.map(({ database, owner, sizeBytes, endpoint, registered, outcome }) => ({
        database,
        owner,
        bytes: sizeBytes,
        endpoint,
        registered: registered || outcome?.kind === 'accepted',
        ...(outcome?.kind === 'refused' ? { refused: outcome.refusal } : {}),
      })),
    });
    return;
  }
  if (found.length === 0) {
    terminal.line(`${host.name} has no database that could be an endpoint.`);
    return;
  }
  const rows = found.map((each): Text[] => [
    each.database,
    each.owner,
    showBytes(each.sizeBytes),
    each.endpoint,
    stateOf(each),
  ]);
  const head = ['database', 'owner', 'size', 'endpoint', ''];
  for (const line of columns([head.map((word) => styled('faint', word)), ...rows], new Set([2])))
    terminal.line(line);
  if (!add && found.some(({ registered }) => !registered)) {
    terminal.line(styled('faint', `  dray endpoint discover ${host.name} --add`));
  }
}

function stateOf({ registered, outcome }: Found): Text {
  if (registered) return 'registered before';
  if (outcome === undefined) return 'new';
  return outcome.kind === 'accepted'
    ? styled('good', '✓ added')
    : styled('bad', `✗ ${outcome.refusal.code}: ${outcome.refusal.sentence}`);
}
