import { usual } from './behaviour.ts';
import { checkIdentity, held } from './guarding.ts';
import { isSameMark, named, refuse, sizeOf, usedBytes, type Host, type Row } from './host.ts';
import { requireSession } from './fencing.ts';
import type { Scene } from './scene.ts';
import type { Inputs, Mark, Outputs } from './protocol.ts';

export function describe({ host }: Scene): Outputs['describe'] {
  const { behaviour } = host;
  return {
    system: host.system,
    version: behaviour.version ?? usual.version,
    slots: behaviour.slots ?? usual.slots,
    slotsUsed: host.slots.size,
    workers: behaviour.workers ?? usual.workers,
    workersUsed: host.subscriptions.size,
    replicates: behaviour.replicates ?? true,
    extensions: [...(behaviour.extensions ?? usual.extensions)],
    roles: [...(behaviour.roles ?? usual.roles)],
    capacityBytes: behaviour.diskFull === true ? usedBytes(host) : (behaviour.capacityBytes ?? null),
    usedBytes: usedBytes(host),
  };
}

/** Databases that serve. */
export function discover({ host }: Scene): Outputs['discover'] {
  const serving = [...host.databases.values()].filter(({ access }) => access === 'open');
  return {
    databases: serving.map((database) => ({
      name: database.name,
      owner: database.owner,
      bytes: sizeOf(database),
    })),
  };
}

export function inspect(scene: Scene, { database: name }: Inputs['inspect']): Outputs['inspect'] {
  const database = named(scene.host, name);
  return {
    host: describe(scene),
    database:
      database === undefined
        ? null
        : {
            oid: database.oid,
            owner: database.owner,
            bytes: sizeOf(database),
            schema: database.schema,
            extensions: [...database.extensions],
            open: database.access === 'open',
            keyless: [...database.keyless],
          },
  };
}

/** The target's half of the preflight: is the name free, and does the way to the source lead there? */
export function survey(scene: Scene, { database, source }: Inputs['survey']): Outputs['survey'] {
  return {
    host: describe(scene),
    taken: named(scene.host, database) !== undefined,
    reaches: scene.peer(source) !== undefined,
  };
}

/** Hash of everything up to a position, in order. */
export function digest(scene: Scene, { guard, upTo, session }: Inputs['digest']): Outputs['digest'] {
  const database = held(scene.host, guard);
  if (session) requireSession(scene, database);
  const rows = upTo === null ? database.rows : database.rows.slice(0, upTo);
  return {
    position: rows.length,
    rows: rows.length,
    digest: hash(rows),
    schema: database.schema,
    sequence: database.sequence,
  };
}

function hash(rows: readonly Row[]): string {
  let one = 0x811c9dc5;
  let two = 0x9e3779b1;
  for (const { id, writer, seq } of rows) {
    const text = `${String(id)}/${writer}/${String(seq)};`;
    for (let index = 0; index < text.length; index += 1) {
      one = Math.imul(one ^ text.charCodeAt(index), 0x01000193);
      two = Math.imul(two ^ text.charCodeAt(index), 0x85ebca6b) + index;
    }
  }
  return `${(one >>> 0).toString(16)}-${(two >>> 0).toString(16)}`;
}

const streamPattern = /^dray_([0-9a-z]{1,12})_([0-9a-z]{16})_(\d{1,6})_s0$/;

/** Every database, open or closed. One that was made by a move and serves is nobody's copy any more. */
export function stock({ host }: Scene, { installation }: Inputs['stock']): Outputs['stock'] {
  return {
    databases: [...host.databases.values()].map(({ name, access, token, mark }) => ({
      name,
      access,
      token,
      copyOf: access !== 'open' && mark?.installation === installation ? mark.move : null,
    })),
  };
}

/** Everything of the installation's on the host, but for databases that serve. */
export function residue({ host }: Scene, { installation }: Inputs['residue']): Outputs['residue'] {
  const items: Outputs['residue']['items'] = [];
  for (const { mark, access, name, oid } of host.databases.values()) {
    if (mark?.installation !== installation || access === 'open') continue;
    items.push({ kind: access === 'closed-for-good' ? 'retained' : 'database', name, oid, mark });
  }
  const streams = [
    ...[...host.slots.values()].map(({ name, oid }) => ({ kind: 'slot', name, oid })),
    ...[...host.publications].map(([name, oid]) => ({ kind: 'publication', name, oid })),
    ...[...host.subscriptions.values()].map(({ name, oid }) => ({ kind: 'subscription', name, oid })),
  ];
  for (const stream of streams) {
    const mark = markOf(stream.name);
    if (mark?.installation === installation) items.push({ ...stream, mark });
  }
  return { system: host.system, items };
}

function markOf(name: string): Mark | undefined {
  const [, installation, move, run] = streamPattern.exec(name) ?? [];
  if (installation === undefined || move === undefined || run === undefined) return undefined;
  return { installation, move: `mv_${move}`, run: Number(run) };
}

/** One thing, by identity. What is gone already is no failure. */
export function removeResidue({ host }: Scene, input: Inputs['remove-residue']): Outputs['remove-residue'] {
  checkIdentity(host, input.system);
  switch (input.kind) {
    case 'slot':
      if (host.slots.get(input.name)?.oid === input.oid) host.slots.delete(input.name);
      return {};
    case 'publication':
      if (host.publications.get(input.name) === input.oid) host.publications.delete(input.name);
      return {};
    case 'subscription':
      if (host.subscriptions.get(input.name)?.oid === input.oid) host.subscriptions.delete(input.name);
      return {};
    case 'database':
    case 'retained':
      return removeDatabase(host, input);
    default:
      throw refuse(
        'fail',
        'residue-unknown',
        `nobody knows how to remove a ${input.kind}`,
        'remove it by hand',
      );
  }
}

function removeDatabase(host: Host, { oid, mark }: Inputs['remove-residue']): Record<string, never> {
  const database = oid === null ? undefined : host.databases.get(oid);
  if (database === undefined) return {};
  if (!isSameMark(database.mark, mark) || database.access === 'open') {
    throw refuse(
      'fail',
      'not-ours',
      `"${database.name}" on ${host.name} is not what was found there`,
      'look at it by hand',
    );
  }
  host.databases.delete(database.oid);
  return {};
}
