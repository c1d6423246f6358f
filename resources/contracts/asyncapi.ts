import type * as z from 'zod';
import { announcementContracts } from '../../shared/contracts/events/announcements.ts';
import { hostChangeContracts } from '../../shared/contracts/events/host-changes.ts';
import { requestContracts } from '../../shared/contracts/events/requests.ts';
import type { JsonObject } from '../../shared/domain/json.ts';
import { schemaOf } from './schema.ts';

interface Channel {
  readonly address: string;
  readonly description: string;
  /** From our side. */
  readonly action: 'receive' | 'send';
  readonly events: Readonly<Record<string, z.ZodType>>;
}

const channels: Readonly<Record<string, Channel>> = {
  requests: {
    address: 'drayage-{stage}-requests',
    description: 'What publishers ask for: the stack output RequestsTopicArn',
    action: 'receive',
    events: requestContracts,
  },
  hostChanges: {
    address: 'drayage-{stage}-host-changes',
    description:
      'What happens to hosts: the stack output HostChangesTopicArn. Alarms of CloudWatch are taken there in their own form too',
    action: 'receive',
    events: hostChangeContracts,
  },
  announcements: {
    address: 'drayage-{stage}-announcements',
    description: 'Where endpoints are, and what has been finished: the stack output AnnouncementsTopicArn',
    action: 'send',
    events: announcementContracts,
  },
};

/** A CloudEvent of a type, in structured JSON. */
export function eventSchema(type: string, data: z.ZodType): JsonObject {
  const text = { type: 'string' };
  return {
    title: type,
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: { ...text, description: "The publisher's own: the same id with the same data is the same event" },
      source: { ...text, description: 'A URI reference that names the publisher' },
      type: { const: type },
      time: { ...text, format: 'date-time' },
      subject: text,
      datacontenttype: { const: 'application/json' },
      dataschema: text,
      traceparent: {
        ...text,
        description:
          'W3C Trace Context: what follows is told in this trace; one that cannot be read is passed over',
      },
      data: schemaOf(data, 'draft-2020-12'),
    },
  };
}

/** The schema of each event by its type. */
export function eventSchemas(): ReadonlyMap<string, JsonObject> {
  return new Map(
    Object.values(channels).flatMap(({ events }) =>
      Object.entries(events).map(([type, data]): [string, JsonObject] => [type, eventSchema(type, data)]),
    ),
  );
}

/** The topics and what goes over them, as AsyncAPI 3 describes such things. */
export function buildAsyncApi(): JsonObject {
  const messages: Record<string, JsonObject> = {};
  for (const [type, payload] of eventSchemas())
    messages[type] = { name: type, title: type, contentType: 'application/cloudevents+json', payload };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Drayage',
      version: '1',
      description:
        'CloudEvents 1.0 in structured JSON, over SNS: no wrapper, the attribute `type` for filters.',
    },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(
      Object.entries(channels).map(([name, { address, description, events }]) => [
        name,
        {
          address,
          description,
          parameters: { stage: { description: 'The stage, e.g. prod' } },
          messages: Object.fromEntries(
            Object.keys(events).map((type) => [type, { $ref: `#/components/messages/${type}` }]),
          ),
        },
      ]),
    ),
    operations: Object.fromEntries(
      Object.entries(channels).map(([name, { action }]) => [
        `${action}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
        { action, channel: { $ref: `#/channels/${name}` } },
      ]),
    ),
    components: { messages },
  };
}
