import * as z from 'zod';
import type { StandingDatabase } from '../../domain/stock.ts';
import type { HostSite } from '../../ports/driver.ts';
import { siteAddress } from './address.ts';
import { look } from './describe.ts';
import { parseComment, parseName } from './names.ts';
import { readTokens } from './token.ts';
import { wholeNumber } from './values.ts';

/** Every database of a server but its templates and that for maintenance, open or closed. */
export async function takeStock(site: HostSite, installation: string): Promise<readonly StandingDatabase[]> {
  const { maintenance } = siteAddress(site);
  return await look(site, async (session) => {
    const tokens = await readTokens(session, installation);
    const found = await session.query(
      `SELECT datname::text AS name, oid::bigint AS oid, datallowconn AS open,
              coalesce(shobj_description(oid, 'pg_database'), '') AS comment
         FROM pg_database WHERE NOT datistemplate AND datname <> ALL ($1::name[]) ORDER BY datname`,
      [[maintenance, 'postgres']],
      z.object({ name: z.string(), oid: wholeNumber, open: z.boolean(), comment: z.string() }),
    );
    return found.map(({ name, oid, open, comment }): StandingDatabase => {
      const held = tokens.get(oid);
      const made = parseName(name, installation) ?? parseComment(comment, installation);
      const closed = held?.closedForGood === true ? 'closed-for-good' : 'closed';
      return {
        database: name,
        access: open ? 'open' : closed,
        ...(held === undefined ? {} : { marker: { token: held.token, epoch: held.epoch } }),
        ...(made === undefined ? {} : { copyOf: made.move }),
      };
    });
  });
}
