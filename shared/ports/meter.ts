import type { HostName } from '../domain/ids.ts';

/** What alarms are raised on. Times in milliseconds. */
export type Metric =
  /** How long the move that has waited longest for nothing but permits has waited. */
  | 'OldestAdmissibleMs'
  | 'MovesWaiting'
  | 'MovesAdmitted'
  /** How far a target lies behind what is written on the source. */
  | 'ReplicationLagMs'
  /** How long a host takes for a question that asks nothing of it. */
  | 'HostLatencyMs'
  /** How long writers of an endpoint waited in its cutover. */
  | 'WriterPauseMs'
  | 'ScaleSignalsRefused'
  | 'ScaleDecisions';

/** What a figure is of; of the whole installation, if nothing is said. */
export type Measured =
  { readonly host: HostName } | { readonly zone: string } | { readonly code: string } | Record<string, never>;

/** Figures for people and alarms: never asked when something is decided, and never in the way. */
export interface Meter {
  note(metric: Metric, value: number, of?: Measured): void;
}
