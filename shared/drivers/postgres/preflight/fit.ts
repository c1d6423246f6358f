import * as z from 'zod';
import type { Session } from '../connection.ts';
import { hasSqlState } from '../failures.ts';
import type { Inventory } from '../inventory.ts';
import type { DatabaseAttributes } from '../schema/attributes.ts';
import { maybeText, text, truth } from '../values.ts';
import type { Findings } from './report.ts';
import { some } from './report.ts';
import type { Server } from './server.ts';

const named = z.object({ name: text });

/** Extensions that the target has not, has in another version, or would not let the mover make. */
export async function checkExtensions(
  { extensions }: Inventory,
  target: Session,
  server: Server,
  findings: Findings,
): Promise<void> {
  const wanted = extensions.filter(({ name }) => name !== 'plpgsql');
  const available = await target.query(
    `SELECT e.name::text AS name, e.default_version AS version, bool_or(v.superuser AND NOT v.trusted) AS restricted
       FROM pg_available_extensions e LEFT JOIN pg_available_extension_versions v
         ON v.name = e.name AND v.version = e.default_version
      WHERE e.name = ANY ($1::text[]) GROUP BY 1, 2`,
    [wanted.map(({ name }) => name)],
    z.object({ name: text, version: maybeText, restricted: truth.nullable() }),
  );
  const there = new Map(available.map((one) => [one.name, one]));
  for (const { name, version } of wanted) {
    const other = there.get(name);
    if (other === undefined) {
      findings.blocker(
        'extension-missing',
        `The extension "${name}" is not installed on ${server.name}.`,
        `Install the package that brings "${name}" on the target server.`,
        name,
      );
      continue;
    }
    if (other.version !== null && older(other.version, version)) {
      findings.blocker(
        'extension-older',
        `The extension "${name}" is ${version} in the source and ${other.version} on ${server.name}.`,
        `Install version ${version} or newer on the target server.`,
        name,
      );
    } else if (other.version !== version) {
      findings.warning(
        'extension-version',
        `The extension "${name}" is ${version} in the source and will be ${other.version ?? 'another'} on the target.`,
        'Read its release notes; nothing to do if the new version suits.',
        name,
      );
    }
    if (other.restricted === true && !server.superuser) {
      findings.blocker(
        'extension-needs-superuser',
        `Only a superuser can create the extension "${name}" on ${server.name}.`,
        'Use a superuser for the target, or have it mark the extension as trusted.',
        name,
      );
    }
  }
}

/** By the numbers in it, e.g. 1.9 before 1.10. */
function older(one: string, than: string): boolean {
  const numbers = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);
  const [a, b] = [numbers(one), numbers(than)];
  for (let place = 0; place < Math.max(a.length, b.length); place += 1) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Encoding, locale provider and locale of the database, and how the target would sort. */
export async function checkCollations(
  attributes: DatabaseAttributes,
  source: Session,
  target: Session,
  findings: Findings,
): Promise<void> {
  if (attributes.encoding === 'SQL_ASCII') {
    findings.warning(
      'encoding-unknown',
      'The database has the encoding SQL_ASCII: its text is bytes of no known encoding, and definitions with bytes that are no UTF-8 cannot be carried over.',
      'Nothing to do if names and function bodies are plain ASCII.',
    );
  }
  const locales = await source.query(
    `SELECT DISTINCT collcollate AS name FROM pg_collation WHERE oid >= 16384 AND collprovider = 'c' AND collcollate IS NOT NULL`,
    [],
    named,
  );
  const libc = [...new Set([...locales.map(({ name }) => name), attributes.collate, attributes.ctype])];
  const known = await target.query(
    `SELECT DISTINCT wanted AS name FROM unnest($1::text[]) AS wanted
      WHERE wanted IN ('C', 'POSIX')
         OR EXISTS (SELECT FROM pg_collation c WHERE c.collprovider = 'c' AND ${folded('c.collcollate')} = ${folded('wanted')})
         OR EXISTS (SELECT FROM pg_database d WHERE ${folded('d.datcollate')} = ${folded('wanted')})`,
    [libc],
    named,
  );
  for (const name of libc.filter((one) => !known.some((other) => other.name === one))) {
    findings.blocker(
      'collation-missing',
      `The locale "${name}" is not known to ${target.server}.`,
      `Install the locale "${name}" on the target machine and run SELECT pg_import_system_collations('pg_catalog') there.`,
      name,
    );
  }
  if (attributes.provider === 'i') {
    const icu = await target.query(
      `SELECT 'icu' AS name FROM pg_collation WHERE collprovider = 'i' LIMIT 1`,
      [],
      named,
    );
    if (icu.length === 0) {
      findings.blocker(
        'collation-provider-missing',
        `The database sorts by ICU, and ${target.server} is built without it.`,
        'Use a server that is built with ICU.',
      );
    }
  }
  if (attributes.provider === 'b' && target.major < 17) {
    findings.blocker(
      'collation-provider-missing',
      `The database uses the built-in locale provider, which ${target.server} does not have.`,
      'Use a server of 17 or later.',
    );
  }
  await compareVersions(attributes, source, target, findings);
}

/** `en_US.UTF-8` and `en_US.utf8` are the same locale. */
const folded = (column: string): string => `replace(lower(${column}), '-', '')`;

async function compareVersions(
  attributes: DatabaseAttributes,
  source: Session,
  target: Session,
  findings: Findings,
): Promise<void> {
  const sql = `SELECT pg_database_collation_actual_version(oid) AS version FROM pg_database
                WHERE datlocprovider = $1::"char" AND ${folded('datcollate')} = ${folded('$2::text')} LIMIT 1`;
  const row = z.object({ version: maybeText });
  const parameters = [attributes.provider, attributes.collate];
  const [here, there] = await Promise.all([
    source.maybeOne(sql, parameters, row),
    target.maybeOne(sql, parameters, row),
  ]);
  if (here === undefined || there === undefined || here.version === there.version) return;
  findings.warning(
    'collation-version',
    `The target sorts text by version ${there.version ?? 'unknown'} of its collations, the source by ${here.version ?? 'unknown'}.`,
    'Indexes are built anew and are right; check partitions and constraints that compare text.',
  );
}

/** Tablespaces, settings and whatever else a schema names that is not in the schema. */
export async function checkSurroundings(
  attributes: DatabaseAttributes,
  inventory: Inventory,
  source: Session,
  target: Session,
  server: Server,
  findings: Findings,
): Promise<void> {
  const used = await source.query(
    `SELECT DISTINCT t.spcname::text AS name FROM pg_tablespace t
      WHERE t.oid IN (SELECT reltablespace FROM pg_class UNION
                      SELECT dattablespace FROM pg_database WHERE datname = current_database())
        AND t.spcname NOT IN ('pg_default', 'pg_global')`,
    [],
    named,
  );
  const spaces = await target.query('SELECT spcname::text AS name FROM pg_tablespace', [], named);
  for (const { name } of used.filter((one) => !spaces.some((other) => other.name === one.name))) {
    findings.blocker(
      'tablespace-missing',
      `The tablespace "${name}" does not exist on ${server.name}.`,
      `CREATE TABLESPACE "${name}" LOCATION '…'; on the target.`,
      name,
    );
  }
  for (const { name } of attributes.settings) {
    if (name.includes('.') || (await knowsSetting(target, name))) continue;
    findings.blocker(
      'setting-unknown',
      `The database sets "${name}", which ${server.name} does not know.`,
      `ALTER DATABASE … RESET "${name}"; on the source, if it is not needed.`,
      name,
    );
  }
  const libraries = await source.query(
    `SELECT DISTINCT p.probin AS name FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
      WHERE l.lanname = 'c' AND p.oid >= 16384 AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
    [],
    named,
  );
  for (const { name } of libraries) {
    findings.warning(
      'library-needed',
      `Functions of the database load the library "${name}", which the target must have as well.`,
      'Install it on the target server.',
      name,
    );
  }
  if (inventory.eventTriggers.length > 0 && !server.superuser) {
    findings.blocker(
      'event-triggers',
      `Only a superuser can create the event triggers ${some(inventory.eventTriggers)} on ${server.name}.`,
      'Use a superuser for the target, or drop them on the source.',
    );
  } else if (inventory.eventTriggers.length > 0) {
    findings.action(
      'event-triggers',
      `The event triggers ${some(inventory.eventTriggers)} are made last, so that they do not fire on the move itself.`,
      'Nothing to do.',
    );
  }
  if (inventory.foreignTables.length > 0) {
    findings.warning(
      'foreign-tables',
      `${String(inventory.foreignTables.length)} foreign tables keep pointing where they point; their servers must be reachable from the target.`,
      'Check the way from the target to the foreign servers.',
    );
  }
}

/** Also by a former name, and those that only superusers may read. */
async function knowsSetting(target: Session, name: string): Promise<boolean> {
  try {
    const { known } = await target.one(
      'SELECT current_setting($1, true) IS NOT NULL AS known',
      [name],
      z.object({ known: truth }),
    );
    return known;
  } catch (error) {
    if (hasSqlState(error, '42501')) return true;
    throw error;
  }
}
