import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Locate } from '../../local/demo/session.ts';

const places = z.record(z.string(), z.object({ host: z.string(), port: z.number(), database: z.string() }));

/** Finds endpoints in a JSON file: what a test moves by hand, it writes there. */
export function createLocate(config: unknown): Locate {
  const { file } = z.object({ file: z.string() }).parse(config);
  return async (endpoint) => {
    const place = places.parse(JSON.parse(await readFile(file, 'utf8')))[endpoint];
    if (place === undefined) throw new Error(`${endpoint} is nowhere`);
    return place;
  };
}
