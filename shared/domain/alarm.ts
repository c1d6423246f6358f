import type { SignalKind } from './health.ts';

/** An alarm of CloudWatch that has changed its state. */
export interface Alarm {
  readonly name: string;
  readonly state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
  /** Epoch milliseconds: when the state changed. */
  readonly at: number;
  readonly reason?: string;
  /** Of every metric that it looks at. */
  readonly dimensions: readonly { readonly name: string; readonly value: string }[];
}

/** How a stage reads the alarms that it is sent. */
export interface AlarmRules {
  /** Dimensions whose value is the name of a host. */
  readonly hostDimensions: readonly string[];
  /**
   * Ends of the names of alarms that say that a host has failed. All others say that it is strained: that a host is
   * emptied must never come of an alarm that nobody has meant so.
   */
  readonly failedSuffixes: readonly string[];
}

export const alarmDefaults: AlarmRules = { hostDimensions: ['Host'], failedSuffixes: ['-failed'] };

/** The label of a host that has the value of the dimension `DBInstanceIdentifier`, by which RDS names its hosts. */
export const instanceDimension = 'DBInstanceIdentifier';
export const instanceLabel = 'dbInstance';

/** The signal by which a host has an alarm. */
export const signalOfAlarm = (name: string): string => `alarm:${name}`;

/** What an alarm says of its host while it is in the state ALARM. */
export function kindOfAlarm(name: string, { failedSuffixes }: AlarmRules): SignalKind {
  return failedSuffixes.some((suffix) => name.endsWith(suffix)) ? 'failed' : 'strained';
}

/** The values, each once, of the dimensions with one of these names. */
export function valuesOf({ dimensions }: Alarm, names: readonly string[]): string[] {
  return [...new Set(dimensions.flatMap(({ name, value }) => (names.includes(name) ? [value] : [])))];
}
