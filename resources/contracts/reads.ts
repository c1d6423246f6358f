import { batchAnswer, batchInList } from '../../shared/contracts/api/batches.ts';
import { endpointAnswer, endpointOnHost } from '../../shared/contracts/api/endpoints.ts';
import { fleetAnswer, scalingAnswer } from '../../shared/contracts/api/fleet.ts';
import { hostAnswer, hostInList } from '../../shared/contracts/api/hosts.ts';
import { letterAnswer } from '../../shared/contracts/api/letters.ts';
import { historyAnswer, moveAnswer, moveInHour, moveOfBatch } from '../../shared/contracts/api/moves.ts';
import { requestAnswer } from '../../shared/contracts/api/requests.ts';
import { batchIdPattern, moveIdPattern, namePattern } from '../../shared/domain/ids.ts';
import { moveLabels } from '../../shared/domain/move.ts';
import type { ListingRoute, LookupRoute } from './read-route.ts';
import { patternOf } from './vtl/parameters.ts';

const name = patternOf(namePattern);
const batch = patternOf(batchIdPattern);
const move = patternOf(moveIdPattern);
const digits = '[0-9]{1,15}';
const labels = moveLabels.join('|');

/** The id of a request, as the header `Idempotency-Key` gives it. */
export const requestIdPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Whose request it is: the API key's, which nobody can choose. */
export const requestSource = '/api-keys/$context.identity.apiKeyId';

/** Reads that the table answers. */
export const reads: readonly (LookupRoute | ListingRoute)[] = [
  {
    kind: 'lookup',
    name: 'getEndpoint',
    path: '/endpoints/{id}',
    summary: 'Where an endpoint is now',
    description:
      'Read consistently: host and epoch are those of the last cutover. The address of the host is at /hosts/{id}.',
    row: { id: namePattern, pk: 'ENDPOINT#$id', sk: 'ENDPOINT' },
    answer: endpointAnswer,
    called: 'Endpoint',
    unknown: 'endpoint-unknown',
  },
  {
    kind: 'listing',
    name: 'listHosts',
    path: '/hosts',
    summary: 'All hosts',
    description: 'By name.',
    rows: {
      index: 'byKind',
      hash: { attribute: 'listing', value: 'host' },
      cursor: {
        pattern: name,
        key: { listing: { S: 'host' }, pk: { S: 'HOST#$after' }, sk: { S: 'HOST' } },
        text: '$last.pk.S.substring(5)',
      },
    },
    field: 'hosts',
    item: hostInList,
    called: 'HostInList',
  },
  {
    kind: 'lookup',
    name: 'getHost',
    path: '/hosts/{id}',
    summary: 'What a host is, how it is, and what is wanted of it',
    description: 'Read consistently.',
    row: { id: namePattern, pk: 'HOST#$id', sk: 'HOST' },
    answer: hostAnswer,
    called: 'Host',
    unknown: 'host-unknown',
  },
  {
    kind: 'listing',
    name: 'listEndpointsOfHost',
    path: '/hosts/{id}/endpoints',
    summary: 'The endpoints that a host serves',
    description: 'By name. Of a host that there is not: none.',
    rows: {
      index: 'byHost',
      id: namePattern,
      hash: { attribute: 'onHost', value: 'endpoint#$id' },
      cursor: {
        pattern: name,
        key: { onHost: { S: 'endpoint#$id' }, pk: { S: 'ENDPOINT#$after' }, sk: { S: 'ENDPOINT' } },
        text: '$last.pk.S.substring(9)',
      },
    },
    field: 'endpoints',
    item: endpointOnHost,
    called: 'EndpointOnHost',
  },
  {
    kind: 'listing',
    name: 'listBatches',
    path: '/batches',
    summary: 'The batches, newest first',
    description: 'With how many of their moves are where.',
    rows: {
      index: 'byTime',
      hash: { attribute: 'hour', value: 'batch' },
      backward: true,
      cursor: {
        pattern: `${batch} ${digits}`,
        split: 23,
        key: {
          hour: { S: 'batch' },
          createdAt: { N: '$second' },
          pk: { S: 'BATCH#$first' },
          sk: { S: 'BATCH' },
        },
        text: '$last.pk.S.substring(6) $last.createdAt.N',
      },
    },
    field: 'batches',
    item: batchInList,
    called: 'BatchInList',
  },
  {
    kind: 'lookup',
    name: 'getBatch',
    path: '/batches/{id}',
    summary: 'What a batch is to do, and how far it is',
    description: 'Read consistently.',
    row: { id: batchIdPattern, pk: 'BATCH#$id', sk: 'BATCH' },
    answer: batchAnswer,
    called: 'Batch',
    unknown: 'batch-unknown',
  },
  {
    kind: 'listing',
    name: 'listMovesOfBatch',
    path: '/batches/{id}/moves',
    summary: 'The moves of a batch',
    description: 'By coarse state and endpoint. Of a batch that there is not: none.',
    rows: {
      index: 'byBatch',
      id: batchIdPattern,
      hash: { attribute: 'batch', value: '$id' },
      query: { name: 'state', pattern: `(?:${labels})` },
      beginsWith: { attribute: 'labelAndEndpoint', value: '$state#', when: 'state' },
      cursor: {
        pattern: `${move} (?:${labels})#${name}`,
        split: 19,
        key: {
          batch: { S: '$id' },
          labelAndEndpoint: { S: '$second' },
          pk: { S: 'MOVE#$first' },
          sk: { S: 'MOVE' },
        },
        text: '$last.pk.S.substring(5) $last.labelAndEndpoint.S',
      },
    },
    query: { description: 'Only those in this coarse state', required: false },
    field: 'moves',
    item: moveOfBatch,
    called: 'MoveOfBatch',
  },
  {
    kind: 'listing',
    name: 'listMoves',
    path: '/moves',
    summary: 'The moves of all batches since an hour',
    description:
      'Those that were planned in the hour of `since` and in all that have begun since, oldest first, a page of one hour at a time: a page may be empty, and there is more as long as it has `next`.',
    rows: {
      index: 'byTime',
      query: {
        name: 'since',
        pattern: '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?Z)?',
        set: '#if($since == "")#set($valid = false)#set($hour = "-")#else#set($hour = $since.substring(0,13))#end',
      },
      hash: { attribute: 'hour', value: '$hour' },
      isByHour: true,
      cursor: {
        pattern: `${move} ${digits}`,
        split: 19,
        key: {
          hour: { S: '$hour' },
          createdAt: { N: '$second' },
          pk: { S: 'MOVE#$first' },
          sk: { S: 'MOVE' },
        },
        text: '$last.pk.S.substring(5) $last.createdAt.N',
      },
    },
    query: {
      description: 'An hour of UTC, `2026-01-31T12`, or any time in it, `2026-01-31T12:34:56Z`',
      required: true,
    },
    field: 'moves',
    item: moveInHour,
    called: 'MoveInHour',
  },
  {
    kind: 'lookup',
    name: 'getMove',
    path: '/moves/{id}',
    summary: 'What a move does, or why it waits',
    description: 'Read consistently.',
    row: { id: moveIdPattern, pk: 'MOVE#$id', sk: 'MOVE' },
    answer: moveAnswer,
    called: 'Move',
    unknown: 'move-unknown',
  },
  {
    kind: 'listing',
    name: 'listHistoryOfMove',
    path: '/moves/{id}/history',
    summary: 'What has happened to a move',
    description: 'Oldest first; kept for ninety days. Of a move that there is not: nothing.',
    rows: {
      id: moveIdPattern,
      hash: { attribute: 'pk', value: 'MOVE#$id' },
      beginsWith: { attribute: 'sk', value: 'HISTORY#' },
      cursor: {
        pattern: '[0-9]{8}(?:~[A-Za-z0-9-]{1,100})?',
        key: { pk: { S: 'MOVE#$id' }, sk: { S: 'HISTORY#$after' } },
        text: '$last.sk.S.substring(8)',
      },
    },
    field: 'history',
    item: historyAnswer,
    called: 'HistoryEntry',
  },
  {
    kind: 'lookup',
    name: 'getRequest',
    path: '/requests/{id}',
    summary: 'What has become of a request',
    description:
      'Waiting, accepted (and which batch it made or was about), or refused (with code, field and cure). Each API key sees its own requests.',
    row: {
      id: requestIdPattern,
      pk: `REQUEST#${requestSource}`,
      sk: 'REQUEST#$id',
    },
    answer: requestAnswer,
    called: 'Request',
    unknown: 'request-unknown',
  },
  {
    kind: 'lookup',
    name: 'getFleet',
    path: '/fleet',
    summary: 'What is set for the whole installation',
    description: 'Read consistently: knobs, whether everything is paused, and what the autoscaler allows.',
    row: { pk: 'FLEET', sk: 'FLEET' },
    answer: fleetAnswer,
    called: 'Fleet',
  },
  {
    kind: 'listing',
    name: 'listScaling',
    path: '/scaling',
    summary: 'What the autoscaler has heard and decided',
    description: 'By target; of each the newest state of its alarms, and its last decisions.',
    rows: {
      index: 'byKind',
      hash: { attribute: 'listing', value: 'scaler' },
      cursor: {
        // Zones are called as people like.
        pattern: '(?:all|(?:zone|host)/.{1,100})',
        isFree: true,
        key: { listing: { S: 'scaler' }, pk: { S: 'SCALER#$after' }, sk: { S: 'SCALER' } },
        text: '$last.pk.S.substring(7)',
      },
    },
    field: 'targets',
    item: scalingAnswer,
    called: 'ScalingTarget',
  },
  {
    kind: 'listing',
    name: 'listDeadLetters',
    path: '/dead-letters',
    summary: 'Messages that were set aside, and nobody has acted on',
    description:
      'In no order. Those whose function ended without a word are in their queues only: dray dead-letters list has them too.',
    rows: {
      index: 'byKind',
      hash: { attribute: 'listing', value: 'letter' },
      cursor: {
        pattern: '[A-Za-z0-9-]{1,100}',
        key: { listing: { S: 'letter' }, pk: { S: 'LETTER#$after' }, sk: { S: 'LETTER' } },
        text: '$last.pk.S.substring(7)',
      },
    },
    field: 'letters',
    item: letterAnswer,
    called: 'DeadLetter',
  },
];
