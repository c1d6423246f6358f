import { StepFailure } from '../domain/failure.ts';
import type { EndpointName } from '../domain/ids.ts';
import { rule, type Placement, type PlacementCommand } from '../domain/placement.ts';
import type { Services } from './services.ts';

export type Arbitrated =
  | { readonly kind: 'ruled'; readonly placement: Placement }
  | { readonly kind: 'refused'; readonly why: string; readonly placement: Placement }
  /** Sent, and no answer came: it may have happened, or happen yet. */
  | { readonly kind: 'unknown' };

/**
 * Puts a command to the arbiter, the endpoint's placement row: reads it consistently, rules, and writes the
 * ruling on the version that was read, in a call of its own. Who loses a race is ruled again on what it finds.
 *
 * @param seen the row as the caller has read or written it last: saves reading it while writers wait. Only a write
 * proves that it is still so; where none is due the row is read after all.
 * @throws StepFailure `endpoint-unknown`
 */
export async function arbitrate(
  { store }: Pick<Services, 'store'>,
  endpoint: EndpointName,
  command: PlacementCommand,
  seen?: Placement,
): Promise<Arbitrated> {
  if (seen !== undefined && rule(seen, command).kind === 'next') {
    const answer = await arbitrateAsSeen({ store }, seen, command);
    if (answer.kind !== 'changed') return answer;
  }
  for (;;) {
    const placement = await store.load('endpoint', { endpoint });
    if (placement === undefined) throw unknownEndpoint(endpoint);
    const answer = await arbitrateAsSeen({ store }, placement, command);
    if (answer.kind !== 'changed') return answer;
    // A conflict means that another's write has gone through: the row moves on, so this ends.
  }
}

/**
 * One command on the placement as the caller has seen it: `changed` when the row has moved on since. For whoever
 * decides by more than the row, and must not act on what it knew long ago.
 */
export async function arbitrateAsSeen(
  { store }: Pick<Services, 'store'>,
  placement: Placement,
  command: PlacementCommand,
): Promise<Arbitrated | { readonly kind: 'changed' }> {
  const ruling = rule(placement, command);
  if (ruling.kind === 'already') return { kind: 'ruled', placement };
  if (ruling.kind === 'refused') return { kind: 'refused', why: ruling.why, placement };
  const answer = await store.commitAlone('endpoint', placement, ruling.placement);
  switch (answer.kind) {
    case 'committed':
      return { kind: 'ruled', placement: answer.record };
    case 'conflict':
      return { kind: 'changed' };
    case 'unknown':
      return { kind: 'unknown' };
    default:
      return answer satisfies never;
  }
}

/** `arbitrate` where only the ruling will do. @throws StepFailure `arbiter-refused`, `arbiter-silent` */
export async function mustArbitrate(
  services: Pick<Services, 'store'>,
  endpoint: EndpointName,
  command: PlacementCommand,
  seen?: Placement,
): Promise<Placement> {
  const answer = await arbitrate(services, endpoint, command, seen);
  if (answer.kind === 'ruled') return answer.placement;
  throw answer.kind === 'refused' ? refused(endpoint, command, answer.why) : silent(endpoint, command);
}

export function refused(endpoint: EndpointName, command: PlacementCommand, why: string): StepFailure {
  return new StepFailure(
    {
      code: 'arbiter-refused',
      sentence: `the placement of ${endpoint} does not allow ${command.kind}: ${why}`,
      cure: 'it is looked at again by itself; another worker or move may have gone on',
    },
    'retry',
  );
}

/** The table did not say whether a write of the arbiter's happened. */
export function silent(endpoint: EndpointName, command: PlacementCommand): StepFailure {
  return new StepFailure(
    {
      code: 'arbiter-silent',
      sentence: `the table did not answer whether ${command.kind} of ${endpoint} was written`,
      cure: 'it is read again by itself',
    },
    'throttled',
  );
}

export function unknownEndpoint(endpoint: EndpointName): StepFailure {
  return new StepFailure(
    {
      code: 'endpoint-unknown',
      sentence: `there is no endpoint ${endpoint}`,
      cure: `register it first: dray endpoint add ${endpoint} --host … --database …`,
    },
    'fail',
  );
}
