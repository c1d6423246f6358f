import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { serviceCalls, type ServiceCall, type ServiceRequest } from './service-calls.ts';

/** Names a folder for what functions, and the API, have asked of services. Without it nothing is noted. */
export const CALL_LOG_FOLDER = 'DRAYAGE_CALLS';

/** Set to anything, every call is noted, with its time, and not only those that differ. */
export const CALL_LOG_OF_EACH = 'DRAYAGE_CALLS_OF_EACH';

/** A call, and who has made it: a function by its logical id, or the API. */
export const notedCall = z.object({
  caller: z.string(),
  action: z.string(),
  resource: z.string(),
  leadingKeys: z.array(z.string()).optional(),
  /** Epoch milliseconds; where every call is noted. */
  at: z.number().optional(),
});
export type NotedCall = z.infer<typeof notedCall>;

/**
 * How a caller names itself to the servers here: what AWS's SDKs make of `AWS_SDK_UA_APP_ID`. Powertools add a word of
 * their own behind it.
 */
export const callerOf = (userAgent: string | undefined): string | undefined =>
  /(?:^| )app\/([A-Za-z0-9]+)/.exec(userAgent ?? '')?.[1];

/**
 * Notes each different call of functions and the API once, for those who judge roles by them; or each request for
 * itself, for those who count them.
 */
export class CallLog {
  readonly #file: string;
  readonly #region: string;
  readonly #known = new Set<string>();

  private constructor(folder: string, region: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, `${randomUUID()}.jsonl`);
    this.#region = region;
  }

  /** Undefined: nobody wants to know. */
  static open(region: string): CallLog | undefined {
    const folder = process.env[CALL_LOG_FOLDER];
    return folder === undefined || folder === '' ? undefined : new CallLog(folder, region);
  }

  /** A request whose body is read by others: it is listened to while they do. */
  overhear(incoming: IncomingMessage): void {
    const caller = callerOf(incoming.headers['user-agent']);
    if (caller === undefined) return;
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      this.note(caller, {
        method: incoming.method ?? 'GET',
        url: incoming.url ?? '/',
        target: String(incoming.headers['x-amz-target'] ?? ''),
        fields: fieldsOf(Buffer.concat(chunks).toString('utf8')),
      });
    });
  }

  note(caller: string, request: ServiceRequest): void {
    if ((process.env[CALL_LOG_OF_EACH] ?? '') !== '') {
      // A request of many items is one.
      const [call] = serviceCalls(request, this.#region);
      if (call !== undefined)
        this.#write({ caller, action: call.action, resource: call.resource, at: Date.now() });
      return;
    }
    for (const whole of serviceCalls(request, this.#region)) {
      const call = { ...whole, leadingKeys: unlike(whole.leadingKeys ?? []) };
      const kind = kindOf(caller, call);
      if (this.#known.has(kind)) continue;
      this.#known.add(kind);
      this.#write({ caller, ...call });
    }
  }

  #write(noted: NotedCall): void {
    appendFileSync(this.#file, `${JSON.stringify(noted)}\n`);
  }
}

const beginning = (key: string): string => key.replace(/[^#/]*$/, '');

/** Of keys that begin alike, one. */
const unlike = (keys: readonly string[]): string[] => [
  ...new Map(keys.map((key) => [beginning(key), key])).values(),
];

/** Objects of one bucket are alike, and so are keys that begin alike. */
function kindOf(caller: string, { action, resource, leadingKeys = [] }: ServiceCall): string {
  const of = action.startsWith('s3:') ? resource.replace(/\/.*/, '') : resource;
  return [caller, action, of, ...leadingKeys.map(beginning).sort()].join(' ');
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(JSON.parse(text));
  } catch {
    return Object.fromEntries(new URLSearchParams(text));
  }
}
