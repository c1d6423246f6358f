import type * as z from 'zod';
import { batchBody, commandBody, hostCommandBody } from '../../shared/contracts/api/bodies.ts';
import { batchIdPattern, moveIdPattern, namePattern } from '../../shared/domain/ids.ts';
import { subjectsOf, type SubjectKind } from '../../shared/domain/command.ts';
import type { Posting } from './vtl/postings.ts';

/** A route that takes a request. */
export interface CommandRoute {
  readonly name: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly posting: Posting;
  readonly body: z.ZodType;
  /** The body's name in the document. */
  readonly called: string;
}

/** Every verb that can be about such a thing, as the event that says so. */
const commandsAbout = (kind: SubjectKind): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(subjectsOf).flatMap(([verb, kinds]: [string, readonly SubjectKind[]]) =>
      kinds.includes(kind) ? [[verb, 'command.requested']] : [],
    ),
  );

const taken =
  'The request is put down and answered at once; what becomes of it is at its address. Safe to repeat with the same Idempotency-Key.';

export const commands: readonly CommandRoute[] = [
  {
    name: 'requestBatch',
    path: '/batches',
    summary: 'Ask for a batch',
    description: `As batch-move.requested. ${taken}`,
    posting: { type: 'batch-move.requested', to: '/batches' },
    body: batchBody,
    called: 'BatchRequest',
  },
  {
    name: 'commandBatch',
    path: '/batches/{id}/{verb}',
    summary: 'Tell a batch what to do',
    description: `As command.requested. ${taken}`,
    posting: { id: batchIdPattern, type: commandsAbout('batch'), to: '/batches/$id/$verb' },
    body: commandBody,
    called: 'Command',
  },
  {
    name: 'commandMove',
    path: '/moves/{id}/{verb}',
    summary: 'Tell a move what to do',
    description: `As command.requested. ${taken}`,
    posting: { id: moveIdPattern, type: commandsAbout('move'), to: '/moves/$id/$verb' },
    body: commandBody,
    called: 'Command',
  },
  {
    name: 'commandHost',
    path: '/hosts/{id}/{verb}',
    summary: 'Say what is wanted of a host, or how it is',
    description: `pause and resume as command.requested, the others as the events of hosts. ${taken}`,
    posting: {
      id: namePattern,
      type: {
        ...commandsAbout('host'),
        cordon: 'host.cordoned',
        uncordon: 'host.uncordoned',
        drain: 'host.draining',
        fail: 'host.failed',
        recover: 'host.recovered',
        remove: 'host.removed',
      },
      to: '/hosts/$id/$verb',
    },
    body: hostCommandBody,
    called: 'HostCommand',
  },
  {
    name: 'commandEndpoint',
    path: '/endpoints/{id}/{verb}',
    summary: 'Hold back the moves of an endpoint, or let them go on',
    description: `As command.requested. ${taken}`,
    posting: { id: namePattern, type: commandsAbout('endpoint'), to: '/endpoints/$id/$verb' },
    body: commandBody,
    called: 'Command',
  },
];
