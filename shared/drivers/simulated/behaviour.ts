import * as z from 'zod';

const times = z.record(z.string(), z.int().min(0));

/**
 * How a simulated host behaves. Given when the host is made, changed at any time, and overlaid by the `options`
 * of the host's row.
 */
export const behaviourSchema = z.strictObject({
  /** Bytes that a copy into this host takes a second; absent: at once. */
  copyBytesPerSecond: z.int().min(1).optional(),
  /** Changes that a subscription applies a second; absent: at once. */
  applyRowsPerSecond: z.int().min(1).optional(),
  /** Changes arrive no sooner than this after they were made. */
  lagMs: z.int().min(0).optional(),
  /** Every answer takes this much longer. */
  slowMs: z.int().min(0).max(60_000).optional(),
  /** The host does not answer at all. */
  down: z.boolean().optional(),
  /** Nothing more can be stored. */
  diskFull: z.boolean().optional(),
  capacityBytes: z.int().min(0).optional(),
  /** Replication slots that the host has for moves out. */
  slots: z.int().min(0).optional(),
  /** Subscriptions that the host has workers for. */
  workers: z.int().min(0).optional(),
  /** `false`: no replication out of this host; its endpoints move while they are closed. */
  replicates: z.boolean().optional(),
  /** Hosts that this one cannot reach. */
  cannotReach: z.array(z.string()).optional(),
  /** Major version. */
  version: z.int().min(1).optional(),
  extensions: z.array(z.string()).optional(),
  roles: z.array(z.string()).optional(),
  /** An operation's first `n` calls fail before they do anything. */
  fail: times.optional(),
  /** An operation's first `n` calls do what they should, and their answers are lost. */
  lose: times.optional(),
});

export type Behaviour = z.output<typeof behaviourSchema>;

/** What holds where nothing was said. */
export const usual = {
  slots: 10,
  workers: 10,
  version: 18,
  extensions: ['plain', 'spatial'],
  roles: ['owner'],
} as const;
