import type { Failure } from '../shared/domain/failure.ts';
import type { EndpointName } from '../shared/domain/ids.ts';
import type { Plan, Stop } from '../shared/domain/planning/plan.ts';
import { balanceOf, sidesOf, type Holding, type Sides } from '../shared/domain/planning/sides.ts';
import type { Snapshot } from '../shared/domain/planning/snapshot.ts';
import { count, showBytes } from './quantity.ts';
import { columns, styled, type Text } from './text.ts';

/** A plan as programs get it. This shape is stable (docs/cli.md). */
export interface PlanReport {
  readonly moves: readonly {
    readonly endpoint: string;
    readonly from: string;
    readonly to: string;
    readonly bytes: number;
    readonly why: string;
  }[];
  readonly unplaced: readonly (Pick<Failure, 'code' | 'sentence' | 'cure'> & {
    readonly endpoint: string;
    readonly host: string;
    readonly stops: readonly Stop[];
  })[];
  readonly unknown: readonly EndpointName[];
  readonly unmet?: Failure;
  readonly bytes: number;
  readonly hosts: readonly {
    readonly host: string;
    readonly zone: string;
    readonly capacityBytes: number | null;
    readonly before: Holding;
    readonly after: Holding;
  }[];
  readonly imbalance: { readonly before: number; readonly after: number };
}

export function planReport(snapshot: Snapshot, plan: Plan): PlanReport {
  return {
    moves: plan.moves.map(({ seat, target, why }) => ({
      endpoint: seat.endpoint,
      from: seat.host,
      to: target,
      bytes: seat.bytes,
      why,
    })),
    unplaced: plan.unplaced.map(({ seat, failure: { code, sentence, cure }, stops }) => ({
      endpoint: seat.endpoint,
      host: seat.host,
      code,
      sentence,
      cure,
      stops,
    })),
    unknown: plan.unknown,
    ...(plan.unmet === undefined ? {} : { unmet: plan.unmet }),
    bytes: plan.moves.reduce((sum, { seat }) => sum + seat.bytes, 0),
    hosts: sidesOf(snapshot, plan).map(({ capacityBytes = null, host, zone, before, after }) => ({
      host,
      zone,
      capacityBytes,
      before,
      after,
    })),
    imbalance: balanceOf(snapshot, plan),
  };
}

/** Has everything that was asked for a place? */
export const isWhole = ({ unplaced, unknown, unmet }: PlanReport): boolean =>
  unplaced.length === 0 && unknown.length === 0 && unmet === undefined;

/** Of longer lists the first so many lines are shown; `--json` has all. */
const most = 40;

/** The same for people. */
export function renderPlan(report: PlanReport): readonly Text[] {
  const { moves, unplaced, unknown, unmet, bytes, imbalance } = report;
  return [
    `${count(moves.length, 'move')}, ${showBytes(bytes)}: nothing of it is done yet`,
    ...table(
      ['endpoint', 'from → to', 'size', 'why'],
      moves.map(({ endpoint, from, to, bytes: size, why }) => [
        endpoint,
        `${from} → ${to}`,
        showBytes(size),
        why,
      ]),
      new Set([2]),
    ),
    ...(unplaced.length === 0
      ? []
      : [styled('bad', `✗ ${count(unplaced.length, 'endpoint')} without a place`)]),
    ...cutOff(unplaced.map(({ endpoint, host, sentence }): Text => `  ${endpoint} on ${host}: ${sentence}`)),
    ...[...new Set(unplaced.map(({ cure }) => cure))]
      .slice(0, 3)
      .map((cure) => styled('faint', `    ${cure}`)),
    ...cutOff(unknown.map((name): Text => styled('bad', `✗ there is no endpoint ${name}`))),
    ...(unmet === undefined
      ? []
      : [styled('bad', `✗ ${unmet.sentence}`), styled('faint', `    ${unmet.cure}`)]),
    ...table(
      ['host', 'zone', 'holds', 'then', 'endpoints', 'then', 'full', 'then'],
      report.hosts
        .filter(changes)
        .map(({ host, zone, capacityBytes, before, after }) => [
          host,
          zone,
          showBytes(before.bytes),
          showBytes(after.bytes),
          String(before.endpoints),
          String(after.endpoints),
          share(before, capacityBytes),
          share(after, capacityBytes),
        ]),
      new Set([2, 3, 4, 5, 6, 7]),
    ),
    ...(moves.length === 0
      ? []
      : [
          `imbalance ${imbalance.before.toFixed(3)} → ${imbalance.after.toFixed(3)} (0: each host has its fair share)`,
        ]),
  ];
}

const changes = ({ before, after }: Pick<Sides, 'before' | 'after'>): boolean =>
  before.bytes !== after.bytes || before.endpoints !== after.endpoints;

const share = ({ bytes }: Holding, capacity: number | null): string =>
  capacity === null || capacity === 0 ? '–' : `${String(Math.round((bytes / capacity) * 100))} %`;

function table(
  head: readonly string[],
  rows: readonly (readonly Text[])[],
  right: ReadonlySet<number>,
): Text[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, most);
  return [
    ...columns([head.map((word) => styled('faint', word)), ...shown], right),
    ...remainder(rows.length),
  ];
}

const cutOff = (lines: readonly Text[]): Text[] => [...lines.slice(0, most), ...remainder(lines.length)];

const remainder = (length: number): Text[] =>
  length > most ? [styled('faint', `  … and ${count(length - most, 'more', 'more')}: --json has all`)] : [];
