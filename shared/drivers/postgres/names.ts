import * as z from 'zod';
import { moveId } from '../../domain/ids.ts';
import type { MoveId } from '../../domain/ids.ts';

/** Whose things they are: every name on a host carries all three. */
export interface MoveIdentity {
  readonly installation: string;
  readonly move: MoveId;
  readonly run: number;
}

/** The names of everything that one run of a move makes on its hosts. All fit PostgreSQL's 63 bytes. */
export interface MoveNames {
  /** Role on the source by which the target's workers read. */
  readonly role: string;
  /** Schema in both databases that holds the marker tables. */
  readonly schema: string;
  /** The target database until its schema is complete. */
  readonly provisional: string;
  /** The source database once it is fenced for good. */
  readonly retained: string;
  /** A database about to be dropped: nobody but us can hold this name. */
  readonly condemned: string;
  /** Subscription, publication and slot share one name. */
  readonly stream: string;
  /** Comment on the target database while it is ours. */
  readonly comment: string;
}

export function moveNames({ installation, move, run }: MoveIdentity): MoveNames {
  const base = `dray_${installation}_${move.slice('mv_'.length)}_${String(run)}`;
  return {
    role: base,
    schema: base,
    provisional: base,
    retained: `${base}_r`,
    condemned: `${base}_x`,
    stream: `${base}_s`,
    comment: `drayage ${installation} ${move} ${String(run)}`,
  };
}

/** Schema in the maintenance database that holds the host tokens of an installation. It stays. */
export const tokenSchema = (installation: string): string => `drayage_${installation}`;

/**
 * What our sessions call themselves: a takeover finds the former holder's sessions by their token. Those with
 * a purpose instead outlive their worker: a statement that builds, a snapshot that is kept.
 */
export const applicationName = (identity: MoveIdentity, whose: number | 'build' | 'snapshot'): string =>
  `drayage/${identity.installation}/${identity.move}/${String(identity.run)}/${String(whose)}`;

/** The token in an application name of this installation; undefined when it is none. */
export function tokenOf(name: string, installation: string): { move: string; token: number } | undefined {
  const parts = name.split('/');
  const [product, owner, move, , token] = parts;
  if (product !== 'drayage' || owner !== installation || move === undefined || token === undefined) {
    return undefined;
  }
  return /^\d{1,15}$/.test(token) && parts.length === 5 ? { move, token: Number(token) } : undefined;
}

/** Whose a name is that `parseName` understands. */
export const installationOf = (name: string): string => name.split('_')[1] ?? '';

/** Reads the move and the run back from a name; undefined when this installation never made it. */
export function parseName(name: string, installation: string): { move: MoveId; run: number } | undefined {
  const found = /^dray_([0-9a-z]{1,12})_([0-9a-z]{16})_(\d{1,6})(?:_[rxs])?$/.exec(name);
  if (found?.[1] !== installation) return undefined;
  const [, , move, run] = z.tuple([z.string(), z.string(), z.string(), z.string()]).parse([...found]);
  return { move: moveId(`mv_${move}`), run: Number(run) };
}

/** The same from the comment on a database under construction. */
export function parseComment(
  comment: string,
  installation: string,
): { move: MoveId; run: number } | undefined {
  const found = /^drayage ([0-9a-z]{1,12}) (mv_[0-9a-z]{16}) (\d{1,6})$/.exec(comment);
  if (found?.[1] !== installation) return undefined;
  const [, , move, run] = z.tuple([z.string(), z.string(), z.string(), z.string()]).parse([...found]);
  return { move: moveId(move), run: Number(run) };
}
