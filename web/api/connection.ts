import { signal } from '@preact/signals';
import * as z from 'zod';

/** Where the status API is, and a key to it. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
}

const address = z
  .url({ protocol: /^https?$/, error: 'An address that begins with https:// or http://' })
  .transform((url) => url.replace(/\/+$/, ''));
/** A key of API Gateway has 20 to 128 characters; of what is no key, a header could not be made. */
const key = z.string().regex(/^[\w.~+/=-]{1,200}$/, 'Letters, digits and a few signs, without spaces');
export const connectionSchema = z.object({ url: address, key });

/** What stands beside the console: `dray up` gives both, a stage at most its address. */
const configSchema = z.object({ url: address.optional(), key: key.optional() });

/** `undefined`: not known yet. `null`: a person has to say. */
export const connection = signal<Connection | null | undefined>(undefined);
/** The address to begin with, where only that is known. */
export const knownUrl = signal('');

const place = 'drayage-connection';

/** Finds the connection: what a person gave to this tab before, else what stands beside the console. */
export async function findConnection(): Promise<void> {
  const kept = connectionSchema.safeParse(parsed(sessionStorage.getItem(place)));
  if (kept.success) {
    connection.value = kept.data;
    return;
  }
  const config = configSchema.safeParse(await configured());
  const { url, key: given } = config.success ? config.data : {};
  knownUrl.value = url ?? '';
  connection.value = url === undefined || given === undefined ? null : { url, key: given };
}

async function configured(): Promise<unknown> {
  try {
    const answer = await fetch('config.json', { cache: 'no-store' });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    // None is there, or it is no JSON: then a person says.
    return undefined;
  }
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps it for as long as this tab is open, and nowhere else. */
export function connect(given: Connection): void {
  sessionStorage.setItem(place, JSON.stringify(given));
  connection.value = given;
}

/** Forgets the key; the address stands in the form again. */
export function disconnect(): void {
  sessionStorage.removeItem(place);
  knownUrl.value = connection.value?.url ?? knownUrl.value;
  connection.value = null;
}
