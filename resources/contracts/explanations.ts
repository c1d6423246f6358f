import { batchIdPattern, moveIdPattern, namePattern } from '../../shared/domain/ids.ts';
import type { ExplanationRoute } from './read-route.ts';

const explained =
  'Put together at this moment from all that it takes to tell, by a function: dray explain says the same.';

/** Reads that are put together from several rows. */
export const explanations: readonly ExplanationRoute[] = [
  {
    kind: 'explanation',
    name: 'explainBatch',
    path: '/batches/{id}/explanation',
    summary: 'What is in the way of a batch, and when it will be over',
    description: `${explained} Of a large batch 2,000 moves are looked at, and the sentence says so.`,
    id: batchIdPattern,
    unknown: 'batch-unknown',
  },
  {
    kind: 'explanation',
    name: 'explainMove',
    path: '/moves/{id}/explanation',
    summary: 'Why a move waits or has failed, and what can be done',
    description: explained,
    id: moveIdPattern,
    unknown: 'move-unknown',
  },
  {
    kind: 'explanation',
    name: 'explainEndpoint',
    path: '/endpoints/{id}/explanation',
    summary: 'What goes on with an endpoint, and with the move that has it',
    description: explained,
    id: namePattern,
    unknown: 'endpoint-unknown',
  },
  {
    kind: 'explanation',
    name: 'explainHost',
    path: '/hosts/{id}/explanation',
    summary: 'What is wrong with a host, or full, and what can be done',
    description: explained,
    id: namePattern,
    unknown: 'host-unknown',
  },
];
