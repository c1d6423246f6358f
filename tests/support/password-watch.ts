import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import * as z from 'zod';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { settingsFor } from '../../cli/client-settings.ts';
import type { Cloud } from '../../local/cloud.ts';
import type { PostgresServer } from '../../local/demo/servers.ts';
import { createDynamoClient, createS3Client } from '../../shared/aws/clients.ts';

/** The one place of a server where a password may stand, and only while a move is under way. */
const subscriptions = 'pg_subscription';

/** What was looked through: none of it may be nothing. */
export interface Looked {
  readonly rows: number;
  readonly objects: number;
  readonly files: number;
  readonly logBytes: number;
  readonly catalogs: number;
}

export interface Sightings {
  /** Passwords that were known before, wherever and whenever they were seen: `a: pg_stat_activity`. */
  readonly known: readonly string[];
  /** Passwords of the moves' own roles, seen anywhere but in `pg_subscription`, or there after the moves. */
  readonly ofMoves: readonly string[];
  /** How many of these there were. */
  readonly rolesOfMoves: number;
  readonly looked: Looked;
}

/**
 * Looks for passwords where none may stand: on the hosts all the time, and everywhere once it is over. From when it
 * begins the servers log every statement; what stood in a log before does not count.
 */
export class PasswordWatch {
  readonly #servers: readonly PostgresServer[];
  readonly #known: readonly string[];
  readonly #ofMoves = new Set<string>();
  readonly #seen = new Set<string>();
  /** What sessions have said that speaks of a password, and where. */
  readonly #said = new Map<string, string>();
  readonly #over = new AbortController();
  readonly #logsFrom = new Map<PostgresServer, number>();
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(servers: readonly PostgresServer[], known: readonly string[]) {
    this.#servers = servers;
    this.#known = known;
  }

  /** @param known those of movers and tenants */
  static async begin(servers: readonly PostgresServer[], known: readonly string[]): Promise<PasswordWatch> {
    const watch = new PasswordWatch(servers, known);
    for (const server of servers) {
      await server.query(`ALTER SYSTEM SET log_statement = 'all'`);
      await server.query('SELECT pg_reload_conf()');
      watch.#logsFrom.set(server, (await readFile(server.logFile)).length);
    }
    watch.#watching = Promise.all(servers.map((server) => watch.#watch(server)));
    // Whoever ends the watch is told.
    watch.#watching.catch(() => undefined);
    return watch;
  }

  /** Ends the watch, and looks through everything that the run has left. No move may be under way. */
  async end(cloud: Cloud): Promise<Sightings> {
    await this.cease();
    const ofMoves = new Set<string>();
    const look = (where: string, text: string): void => {
      if (this.#known.some((password) => text.includes(password))) this.#seen.add(where);
      if ([...this.#ofMoves].some((password) => text.includes(password))) ofMoves.add(where);
    };
    for (const [text, where] of this.#said) look(where, text);
    const looked = {
      rows: await lookThroughTable(cloud, look),
      objects: await lookThroughObjects(cloud, look),
      files: await lookThroughFiles(cloud.stateDir, look),
      logBytes: 0,
      catalogs: 0,
    };
    for (const server of this.#servers) {
      const log = (await readFile(server.logFile)).subarray(this.#logsFrom.get(server));
      looked.logBytes += log.length;
      look(`${server.name}: log`, log.toString());
      looked.catalogs += await lookThroughCatalogs(server, look);
    }
    const where = (places: ReadonlySet<string>): string[] => [...places].sort();
    return {
      known: where(this.#seen),
      ofMoves: where(ofMoves),
      rolesOfMoves: this.#ofMoves.size,
      looked,
    };
  }

  /** Looks no longer. */
  async cease(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(server: PostgresServer): Promise<void> {
    const client = await server.connect();
    try {
      while (!this.#over.signal.aborted) {
        for (const { place, text } of await activities(client)) {
          const [, ofMove] = place === subscriptions ? (/password='([^']+)'/.exec(text) ?? []) : [];
          if (ofMove !== undefined && !this.#known.includes(ofMove)) this.#ofMoves.add(ofMove);
          if (this.#known.some((password) => text.includes(password)))
            this.#seen.add(`${server.name}: ${place}`);
          // Whether it is one is known once the move's subscription has been seen.
          if (place !== subscriptions && /password/i.test(text))
            this.#said.set(text, `${server.name}: ${place}`);
        }
        await sleep(250, undefined, { signal: this.#over.signal }).catch(() => undefined);
      }
    } finally {
      await client.end();
    }
  }
}

const activity = z.array(z.object({ place: z.string(), text: z.string() }));

/** What the sessions of a server do or did last, and how its subscriptions reach their sources. */
async function activities(client: pg.Client): Promise<z.output<typeof activity>> {
  const { rows } = await client.query(
    `SELECT 'pg_stat_activity' AS place, query AS text FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND query <> ''
     UNION ALL SELECT '${subscriptions}', subconninfo FROM pg_subscription`,
  );
  return activity.parse(rows);
}

type Look = (where: string, text: string) => void;

async function lookThroughTable(cloud: Cloud, look: Look): Promise<number> {
  const client = createDynamoClient(settingsFor(cloud.env, 'DYNAMODB'));
  let rows = 0;
  let from: ScanCommand['input']['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: cloud.outputs['TableName'],
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    );
    for (const item of page.Items ?? []) {
      rows += 1;
      look(`row ${item['pk']?.S ?? ''}`, JSON.stringify(item));
    }
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  client.destroy();
  return rows;
}

async function lookThroughObjects(cloud: Cloud, look: Look): Promise<number> {
  const client = createS3Client(settingsFor(cloud.env, 'S3'));
  const Bucket = cloud.outputs['ClaimsBucketName'];
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  for (const { Key } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    look(`object ${Key ?? ''}`, (await Body?.transformToString()) ?? '');
  }
  client.destroy();
  return Contents.length;
}

/** Logs of functions, and queues, dead letters among them. */
async function lookThroughFiles(folder: string, look: Look): Promise<number> {
  let files = 0;
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // Where secrets are.
    if (!file.isFile() || file.name.startsWith('secrets.json')) continue;
    files += 1;
    look(`file ${file.name}`, await readFile(join(file.parentPath, file.name), 'latin1'));
  }
  return files;
}

const named = z.array(z.object({ name: z.string() }));
const texts = z.array(z.object({ text: z.string().nullable() }));

/** Every relation of every catalog, views of what goes on among them. */
async function lookThroughCatalogs(server: PostgresServer, look: Look): Promise<number> {
  let catalogs = 0;
  for (const database of await namesIn(
    server,
    'postgres',
    'SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate',
  )) {
    const client = await server.connect(database);
    try {
      // Not what PostgreSQL itself brings, nor the statistics of a tenant's data; NUMA is not everywhere.
      const { rows } = await client.query(
        `SELECT c.oid::regclass::text AS name FROM pg_class c
          WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
            AND c.relname !~ '^pg_(stat(s|istic)|a(ggregate|m|ttribute)|c(ast|lass|oll|onv)|de(pend|scr)|init_p)'
            AND c.relname !~ '^pg_(largeobject|op|proc|rewrite|rules|timezone|ts_|type|views)|_numa$'`,
      );
      for (const { name } of named.parse(rows)) {
        const found = await client.query(`SELECT string_agg(it::text, ' ') AS text FROM ${name} AS it`);
        catalogs += 1;
        look(`${server.name}: ${name}`, texts.parse(found.rows)[0]?.text ?? '');
      }
    } finally {
      await client.end();
    }
  }
  return catalogs;
}

async function namesIn(server: PostgresServer, database: string, sql: string): Promise<string[]> {
  const client = await server.connect(database);
  try {
    const { rows } = await client.query(sql);
    return named.parse(rows).map(({ name }) => name);
  } finally {
    await client.end();
  }
}
