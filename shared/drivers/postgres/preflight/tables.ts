import { holdsRows, isReplicated, qualifiedName } from '../inventory.ts';
import type { Inventory, Table } from '../inventory.ts';
import type { Findings, PreflightFacts } from './report.ts';
import { megabytes, some } from './report.ts';
import type { Server } from './server.ts';

export interface TableLimits {
  /** Above this a table without a key is refused: each of its changes would be found by reading all of it. */
  readonly keylessBytes: number;
  /** Above this, what is copied inside the freeze (unlogged tables, large objects) is refused. */
  readonly leftoverBytes: number;
  /** Likewise: each table and each large object takes its round trips. */
  readonly leftoverCount: number;
}

export const tableLimits: TableLimits = { keylessBytes: 64e6, leftoverBytes: 16e6, leftoverCount: 500 };

/**
 * What replication cannot carry as it is. Publishing a table without a replica identity would make the very
 * next UPDATE of the application fail, so it is given one first, or the move is refused.
 */
export function checkTables(
  inventory: Inventory,
  source: Server,
  mode: 'online' | 'offline',
  limits: TableLimits,
  findings: Findings,
): Pick<PreflightFacts, 'identities' | 'leftoverBytes' | 'tables' | 'tableBytes'> {
  const { tables } = inventory;
  const replicated = tables.filter(isReplicated);
  const identities = mode === 'online' ? checkIdentities(replicated, limits, findings) : [];
  const leftoverBytes = mode === 'online' ? checkLeftovers(inventory, limits, findings) : 0;
  for (const table of tables.filter(({ alwaysTriggers }) => alwaysTriggers.length > 0)) {
    findings.warning(
      'always-triggers',
      `${qualifiedName(table)} has triggers that fire on replicated changes (${some(table.alwaysTriggers)}); they are switched on after the last change has arrived.`,
      'Nothing to do, if what they write lies in this database: it is replicated.',
      qualifiedName(table),
    );
  }
  for (const table of tables.filter(({ forcesRowSecurity }) => forcesRowSecurity && !source.superuser)) {
    if (source.bypassRls) continue;
    findings.blocker(
      'row-security-forced',
      `${qualifiedName(table)} hides rows from its owner too (FORCE ROW LEVEL SECURITY), and "${source.user}" may not bypass it.`,
      `ALTER ROLE "${source.user}" BYPASSRLS; or use a superuser for the source.`,
      qualifiedName(table),
    );
  }
  if (tables.length > source.lockEntries) {
    findings.blocker(
      'lock-table-small',
      `The database has ${String(tables.length)} tables; reading its schema locks all of them, and ${source.name} has room for ${String(source.lockEntries)} locks.`,
      'Raise max_locks_per_transaction on both servers and restart them.',
      source.name,
    );
  }
  return {
    identities,
    leftoverBytes,
    tables: tables.filter(holdsRows).length,
    tableBytes: replicated.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

const identityLetters = { default: 'd', full: 'f', nothing: 'n', index: 'i' } as const;

function checkIdentities(
  replicated: readonly Table[],
  limits: TableLimits,
  findings: Findings,
): PreflightFacts['identities'] {
  const identities: PreflightFacts['identities'] = [];
  for (const table of replicated) {
    const name = qualifiedName(table);
    const full = table.replicaIdentity === 'full';
    if (table.identifiesRows && !(full && table.primaryKey === null)) continue;
    const incomparable = table.columns.filter(({ equality }) => !equality).map((column) => column.name);
    if (table.primaryKey === null && incomparable.length > 0) {
      findings.blocker(
        'key-missing',
        `${name} has no key, and its columns ${some(incomparable)} cannot be compared: its changes cannot be replicated.`,
        `Add a primary key to ${name}, or a unique index over columns that are NOT NULL as its replica identity.`,
        name,
      );
      continue;
    }
    if (table.primaryKey === null && table.sizeBytes > limits.keylessBytes) {
      findings.blocker(
        'key-missing-large',
        `${name} has ${megabytes(table.sizeBytes)} and no key: each of its changes would be found by reading all of it.`,
        `Add a primary key to ${name}, or a unique index over columns that are NOT NULL as its replica identity.`,
        name,
      );
      continue;
    }
    if (full) continue;
    identities.push({ schema: table.schema, name: table.name, was: identityLetters[table.replicaIdentity] });
    findings.action(
      'replica-identity',
      `${name} has no usable key: it gets REPLICA IDENTITY FULL while it is moved, and what it had afterwards.`,
      'Nothing to do; with a primary key the move would be faster.',
      name,
    );
  }
  return identities;
}

/** What replication does not carry has to be small enough for the freeze. */
function checkLeftovers(
  { tables, largeObjects }: Inventory,
  limits: TableLimits,
  findings: Findings,
): number {
  const leftovers = tables.filter((table) => holdsRows(table) && !isReplicated(table));
  const tableBytes = leftovers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const names = leftovers.map(({ name }) => name);
  if (tableBytes > limits.leftoverBytes || leftovers.length > limits.leftoverCount) {
    findings.blocker(
      'unlogged-large',
      `The ${String(leftovers.length)} unlogged tables and tables of extensions (${some(names)}) have ${megabytes(tableBytes)}; they are not replicated, and copying them would keep writers waiting.`,
      `Empty them, or ALTER TABLE … SET LOGGED. The limits are ${megabytes(limits.leftoverBytes)} and ${String(limits.leftoverCount)} tables.`,
    );
  } else if (leftovers.length > 0) {
    findings.action(
      'unlogged-copied',
      `${some(names)} ${leftovers.length > 1 ? 'are' : 'is'} not replicated (unlogged, or of an extension): copied while the source is frozen (${megabytes(tableBytes)}).`,
      'Nothing to do.',
    );
  }
  if (largeObjects.count === 0) return tableBytes;
  if (largeObjects.bytes > limits.leftoverBytes || largeObjects.count > limits.leftoverCount) {
    findings.blocker(
      'large-objects',
      `${String(largeObjects.count)} large objects have ${megabytes(largeObjects.bytes)}; they are not replicated, and copying them would keep writers waiting.`,
      `Move them into bytea columns. The limits are ${megabytes(limits.leftoverBytes)} and ${String(limits.leftoverCount)} objects.`,
    );
  } else {
    findings.action(
      'large-objects-copied',
      `${String(largeObjects.count)} large objects (${megabytes(largeObjects.bytes)}) are copied while the source is frozen.`,
      'Nothing to do.',
    );
  }
  return tableBytes + largeObjects.bytes;
}
