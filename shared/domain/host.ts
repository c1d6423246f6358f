import { failedSince, type Health } from './health.ts';
import type { BatchId, HostName, MoveId } from './ids.ts';
import type { JsonObject } from './json.ts';
import type { Pausable } from './pause.ts';

/** What people want of a host; ordered by the publisher's sequence. */
export type Intent = 'active' | 'cordoned' | 'draining' | 'retired';

/** What people may change of a host without registering it again. */
export interface Profile {
  /** The mover's way in, without a password. */
  readonly url: string;
  /** `host:port` for the other hosts. */
  readonly replicationAddress: string;
  /** `host:port` for clients. */
  readonly clientAddress: string;
  /** Where the password is, never the password. */
  readonly secret?: string;
  readonly zone: string;
  /** Bytes it may hold; undefined: nobody said, so space is not checked. */
  readonly capacityBytes?: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What was done by itself about a failure of a host; it stands in the host's row. Times in epoch milliseconds. */
interface Healing {
  /** When the failure had begun. */
  readonly since: number;
  /** When it was decided to move away what is there. A failure that began later is another one. */
  readonly at: number;
  /** The batches that do it: a second one only of what has come to the host since the first was planned. */
  readonly batches: readonly BatchId[];
}

export interface Host extends Profile, Health, Pausable {
  readonly name: HostName;
  readonly driver: string;
  readonly intent: {
    readonly value: Intent;
    readonly sequence: number;
    readonly reason: string;
    /** Of a drain: when (epoch milliseconds) the host is to be empty. */
    readonly deadline?: number;
  };
  /** The publisher's sequence by which each part of the profile was changed last. */
  readonly sequences: Readonly<Partial<Record<keyof Profile, number>>>;
  /** The server's own identity, read from it at registration. */
  readonly systemIdentifier: string;
  readonly serverVersion: string;
  /** How many moves may leave and enter at once. */
  readonly movesOut: number;
  readonly movesIn: number;
  /** What was done by itself about its last failure. */
  readonly healing?: Healing;
  /** How many of them are given out just now, while the host is spared; absent: all. */
  readonly throttle?: HostThrottle;
  readonly permitsOut: readonly MoveId[];
  readonly permitsIn: readonly MoveId[];
  /** Bytes set aside for moves on their way here. */
  readonly reserved: Readonly<Record<MoveId, number>>;
  readonly options: JsonObject;
  readonly registeredAt: number;
  readonly version: number;
}

export type PermitSide = 'out' | 'in';

/** Permits that a host has for the time being, on each side. */
export interface HostThrottle {
  readonly out: number;
  readonly in: number;
}

/** How many moves may leave or enter a host at once, as things are. */
export function permitsOf(host: Pick<Host, 'movesOut' | 'movesIn' | 'throttle'>, side: PermitSide): number {
  const most = side === 'out' ? host.movesOut : host.movesIn;
  return Math.min(most, host.throttle?.[side] ?? most);
}

/** May new endpoints arrive? A host that is only strained takes them, a few at a time. */
export function acceptsArrivals(host: Host): boolean {
  return host.intent.value === 'active' && failedSince(host) === undefined;
}

/** Never leave a host with less than this share of its capacity free. */
export const headroom = 0.1;

/**
 * Bytes that may still arrive, given what is stored there now.
 * @returns Infinity when nobody said how much the host holds
 */
export function freeBytes(host: Host, storedBytes: number): number {
  if (host.capacityBytes === undefined) return Infinity;
  const reserved = Object.values(host.reserved).reduce((sum, bytes) => sum + bytes, 0);
  return host.capacityBytes * (1 - headroom) - storedBytes - reserved;
}
