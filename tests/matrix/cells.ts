import { moveEndpointShape } from '../../shared/domain/workflow-shape.ts';

type StepName = (typeof moveEndpointShape.steps)[number]['name'];

/**
 * What is struck: the steps of a move, and two parts of a rollback (`thaw`, the undo of the freeze, and
 * `roll-back`, everything that goes from the hosts).
 */
export type Stage = StepName | 'thaw' | 'roll-back';

export const moments = [
  'before-effect',
  'during-effect',
  'after-effect',
  'before-commit',
  'after-commit',
] as const;
export type Moment = (typeof moments)[number];

/**
 * What is done to the process: killed; stopped past its lease and continued as soon as another worker has taken
 * over; the same, but continued only when the move has ended.
 */
export const strikes = ['kill', 'stop', 'long-stop'] as const;
export type StrikeKind = (typeof strikes)[number];

export interface Cell {
  readonly stage: Stage;
  readonly moment: Moment;
  readonly kind: StrikeKind;
}

/** Patterns of what goes to one place, one after another on one connection; the last one is the moment. */
export interface Mark {
  readonly at: 'source' | 'target' | 'table';
  readonly like: readonly RegExp[];
  /** What must have been seen before. */
  readonly since?: Mark;
}

/** How the effect of a stage shows on the wire: what begins it, what is in its middle, what ends it. */
export interface Effect {
  readonly begin: Mark;
  readonly middle: Mark;
  readonly end: Mark;
}

const source = (...like: RegExp[]): Mark => ({ at: 'source', like });
const target = (...like: RegExp[]): Mark => ({ at: 'target', like });
/** Rows as `<key> <expression> <values as JSON>`. */
const table = (...like: RegExp[]): Mark => ({ at: 'table', like });
const whole = (mark: Mark): Effect => ({ begin: mark, middle: mark, end: mark });

const since = (earlier: Mark, mark: Mark): Mark => ({ ...mark, since: earlier });

const closing = source(/^ALTER DATABASE .* ALLOW_CONNECTIONS false$/);
const flip = table(/^ENDPOINT#.*"kind":"flipped"/);
const committed = /^COMMIT/;

export const effects: Readonly<Record<Stage, Effect>> = {
  preflight: {
    begin: source(/system_identifier::text FROM pg_control_system/),
    middle: target(/^CREATE SUBSCRIPTION "dray_probe/),
    end: source(/^WITH member AS/),
  },
  reserve: whole(table(/^HOST#\S+ HOST SET reserved\./)),
  provision: {
    begin: target(/^CREATE DATABASE/),
    middle: target(/^SET LOCAL check_function_bodies.*CREATE SCHEMA/s),
    end: target(/^ALTER DATABASE "dray_.* RENAME TO/, committed),
  },
  copy: {
    begin: source(/^CREATE SCHEMA IF NOT EXISTS "dray_/),
    middle: target(/^COPY "shop"\."order_line"/),
    end: target(/^ALTER SUBSCRIPTION .* ENABLE/),
  },
  'catch-up': {
    begin: target(/^SET LOCAL check_function_bodies.*CREATE TRIGGER/s),
    middle: target(/"schema_statements" SET done/),
    end: target(/"schema_statements" SET done/),
  },
  verify: {
    begin: source(/^SELECT \d+ AS unit, .* AS bucket,/),
    middle: target(/^SELECT \d+ AS unit, .* AS bucket,/),
    end: target(/^INSERT INTO .*"verified"/),
  },
  freeze: {
    begin: table(/^ENDPOINT#.*"kind":"frozen"/),
    middle: closing,
    end: source(...closing.like, committed),
  },
  settle: {
    // The forecast of the pause beats too.
    begin: since(closing, source(/"marker" SET beat/)),
    middle: target(/^SELECT setval\(/),
    end: target(/^INSERT INTO .*"settled" AS s/, committed),
  },
  confirm: whole(target(/d\.last_value AS last/)),
  cutover: whole(flip),
  activate: {
    begin: since(flip, source(/fence SET closed_by/)),
    middle: target(/ALLOW_CONNECTIONS true CONNECTION LIMIT/),
    end: table(/^ENDPOINT#.* REMOVE claim/),
  },
  retire: {
    begin: source(/^ALTER DATABASE "dray_.*_r" WITH ALLOW_CONNECTIONS false/),
    middle: source(/^DROP DATABASE/),
    end: source(/^DROP DATABASE/),
  },
  thaw: {
    begin: table(/^ENDPOINT#.*"kind":"thawing"/),
    middle: source(/^ALTER DATABASE .* ALLOW_CONNECTIONS true/),
    end: table(/^ENDPOINT#.*"kind":"serving"/),
  },
  'roll-back': {
    begin: target(/^ALTER SUBSCRIPTION .* DISABLE/),
    middle: source(/pg_drop_replication_slot/),
    end: target(/^DROP DATABASE/),
  },
};

const stages: readonly Stage[] = [...moveEndpointShape.steps.map(({ name }) => name), 'thaw', 'roll-back'];

export const allCells: readonly Cell[] = stages.flatMap((stage) =>
  moments.flatMap((moment) => strikes.map((kind) => ({ stage, moment, kind }))),
);

export const nameOf = ({ stage, moment, kind }: Cell): string => `${stage}/${moment}/${kind}`;

/** Does the move have to turn back for this cell? */
export const isRollback = ({ stage }: Cell): boolean => stage === 'thaw' || stage === 'roll-back';

/** From the flip on, writers are let in at once: who writes too early must be seen to lose something. */
export const isOpenCell = ({ stage }: Cell): boolean =>
  stage === 'cutover' || stage === 'activate' || stage === 'retire';
