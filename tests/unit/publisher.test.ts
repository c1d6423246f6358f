import { describe, expect, test } from '@jest/globals';
import type { PublishCommand } from '@aws-sdk/client-sns';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { parseRequest } from '../../shared/contracts/events/requests.ts';
import {
  batchMoveRequested,
  commandRequested,
  createPublisher,
  EventInvalid,
  hostDraining,
} from '../../shared/publisher/publisher.ts';

const sent: PublishCommand[] = [];
const client = {
  send: async (command: PublishCommand) => {
    sent.push(command);
  },
};
const publish = createPublisher({
  client,
  requestsTopicArn: 'arn:requests',
  hostChangesTopicArn: 'arn:host-changes',
  source: '/ops/anna',
});

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('a publisher', () => {
  test('publishes what whoever takes it reads as it was meant', async () => {
    await publish(batchMoveRequested({ reason: 'new hardware', endpoints: ['shop'], target: 'b' }), {
      id: 'ticket-1',
      traceparent,
    });
    const [command] = sent;
    expect(command?.input).toMatchObject({
      TopicArn: 'arn:requests',
      MessageAttributes: { type: { StringValue: 'batch-move.requested' } },
    });
    expect(parseRequest(command?.input.Message ?? '', 1)).toMatchObject({
      kind: 'event',
      head: { source: '/ops/anna', id: 'ticket-1', traceparent },
      event: { kind: 'move-batch', selection: { selection: { endpoints: ['shop'], target: 'b' } } },
    });
  });

  test('knows which topic takes what', async () => {
    const { id } = await publish(hostDraining({ host: 'a', reason: 'a disk reports errors' }));
    const { input } = sent.at(-1) ?? { input: undefined };
    expect(input?.TopicArn).toBe('arn:host-changes');
    expect(parseHostChange(input?.Message ?? '', 1)).toMatchObject({ kind: 'event', head: { id } });
  });

  test('is told at once what would be refused, with the field and the cure', () => {
    expect(() => hostDraining({ host: 'a', target: 'a', reason: 'r' })).toThrow(EventInvalid);
    expect(() => batchMoveRequested({ reason: 'r' })).toThrow(/selection-missing/);
    expect(() => commandRequested({ verb: 'pause', reason: '', all: true })).toThrow(/data\.reason/);
  });
});
