import * as z from 'zod';
import type { Json, JsonObject } from '../../shared/domain/json.ts';

/** Where something is posted, and what. */
export interface PostingRoute {
  readonly path: string;
  readonly body: JsonObject;
}

/** What commands are about, by the field that names it; there is no route for a batch's endpoint, and for everything. */
const plurals = { batch: 'batches', move: 'moves', host: 'hosts', endpoint: 'endpoints' } as const;

/** The verb of a host that says the same as an event. */
const hostVerbs: Readonly<Record<string, string>> = {
  'host.cordoned': 'cordon',
  'host.uncordoned': 'uncordon',
  'host.draining': 'drain',
  'host.failed': 'fail',
  'host.recovered': 'recover',
  'host.removed': 'remove',
};

const command = z.strictObject({
  verb: z.string(),
  reason: z.json(),
  batch: z.string().optional(),
  move: z.string().optional(),
  host: z.string().optional(),
  endpoint: z.string().optional(),
});
const aboutHost = z.looseObject({ host: z.string() });

/**
 * Where an event is posted that its contract has taken: the opposite of `eventOf`, which makes the event again.
 * @returns undefined: the API has no route for it
 */
export function routeOf(type: string, data: JsonObject): PostingRoute | undefined {
  if (type === 'batch-move.requested') return { path: '/batches', body: data };
  if (type === 'command.requested') return commandRoute(data);
  const { [type]: verb } = hostVerbs;
  const parsed = aboutHost.safeParse(data);
  if (verb === undefined || !parsed.success) return undefined;
  const { host: _, ...body } = data;
  return { path: `/hosts/${parsed.data.host}/${verb}`, body };
}

function commandRoute(data: JsonObject): PostingRoute | undefined {
  const parsed = command.safeParse(data);
  if (!parsed.success) return undefined;
  const { verb, reason, ...about } = parsed.data;
  const named = (['batch', 'move', 'host', 'endpoint'] as const).flatMap((kind) => {
    const { [kind]: name } = about;
    return name === undefined ? [] : [`/${plurals[kind]}/${name}/${verb}`];
  });
  const [path, ...more] = named;
  return path === undefined || more.length > 0
    ? undefined
    : { path, body: { reason } satisfies Record<string, Json> };
}
