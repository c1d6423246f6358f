import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { createLocate as createPlainLocate } from '../../local/demo/fleet.ts';
import type { Locate } from '../../local/demo/session.ts';

const settings = z.object({ of: z.json(), file: z.string() });

/**
 * Finds endpoints as everybody does, and keeps writers from the host whose port stands in a file: so what both
 * sides hold at the flip can be compared before anything is written to the new one.
 * @public
 */
export function createLocate(config: unknown): Locate {
  const { of, file } = settings.parse(config);
  const locate = createPlainLocate(of);
  return async (endpoint) => {
    const place = await locate(endpoint);
    if (readFileSync(file, 'utf8') === String(place.port)) throw new Error(`${endpoint} is withheld`);
    return place;
  };
}
