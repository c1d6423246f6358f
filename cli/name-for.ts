import { isEndpointName } from '../shared/domain/ids.ts';
import type { Chance } from '../shared/ports/clock.ts';

const longest = 80;

/**
 * What a database is called as an endpoint: its own name where that can be one, else as near to it as can be with
 * a few digits of its hash, so that two that look alike stay apart. The same database gets the same name.
 *
 * @param host set where the plain name is taken already
 */
export function nameFor(chance: Pick<Chance, 'digest'>, database: string, host?: string): string {
  if (host === undefined && isEndpointName(database)) return database;
  const slug = database
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, longest);
  const digits = chance.digest('endpoint', host ?? '', database).slice(0, 6);
  return slug === '' ? `endpoint-${digits}` : `${slug}-${digits}`;
}
