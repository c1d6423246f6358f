import type { Explanation } from '../../domain/explain.ts';
import { isBatchId, isEndpointName, isHostName, isMoveId } from '../../domain/ids.ts';
import { explainBatchNow, explainEndpointNow, explainHostNow, explainMoveNow } from './explain.ts';
import type { ExplainServices } from './outlook.ts';

/** What the API explains, as the first part of its addresses names it. */
export const explainedKinds = ['batches', 'moves', 'endpoints', 'hosts'] as const;
export type ExplainedKind = (typeof explainedKinds)[number];

/** An answer has seconds: of a larger batch so many moves are looked at, those first that tell most. */
const mostMoves = 2_000;

/** @returns undefined when there is no such thing; what cannot be a name is none either */
export async function explainNamed(
  services: ExplainServices,
  kind: ExplainedKind,
  id: string,
): Promise<Explanation | undefined> {
  switch (kind) {
    case 'batches':
      return isBatchId(id) ? explainBatchNow(services, id, mostMoves) : undefined;
    case 'moves':
      return isMoveId(id) ? explainMoveNow(services, id) : undefined;
    case 'endpoints':
      return isEndpointName(id) ? explainEndpointNow(services, id) : undefined;
    case 'hosts':
      return isHostName(id) ? explainHostNow(services, id) : undefined;
    default:
      return kind satisfies never;
  }
}
