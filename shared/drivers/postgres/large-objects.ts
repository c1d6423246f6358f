import * as z from 'zod';
import type { Session } from './connection.ts';
import { quoteIdentifier, quoteLiteral } from './identifiers.ts';
import { maybeText, text, truth, wholeNumber } from './values.ts';

const object = z.object({ oid: wholeNumber, owner: text, comment: maybeText });
const grant = z.object({ oid: wholeNumber, grantee: maybeText, privilege: text, grantable: truth });
const chunk = z.object({ data: z.instanceof(Buffer) });
const chunkBytes = 512 * 1024;

/**
 * Carries all large objects over, with their oids, owners, grants and comments. They are not replicated, so
 * this happens while the source is frozen: preflight refuses databases where it would take long. One
 * transaction on the target, which first removes what an earlier try left there: safe to repeat.
 */
export async function copyLargeObjects(
  source: Session,
  target: Session,
): Promise<{ readonly count: number; readonly bytes: number }> {
  const objects = await source.query(
    `SELECT oid::bigint AS oid, pg_get_userbyid(lomowner) AS owner,
            obj_description(oid, 'pg_largeobject') AS comment
       FROM pg_largeobject_metadata ORDER BY oid`,
    [],
    object,
  );
  const grants = await source.query(
    `SELECT m.oid::bigint AS oid, CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END AS grantee,
            a.privilege_type AS privilege, a.is_grantable AS grantable
       FROM pg_largeobject_metadata m, aclexplode(m.lomacl) a WHERE a.grantee <> m.lomowner`,
    [],
    grant,
  );
  let bytes = 0;
  await target.transaction(async () => {
    await target.execute('SELECT lo_unlink(oid) FROM pg_largeobject_metadata');
    for (const { oid, owner, comment } of objects) {
      await target.execute('SELECT lo_create($1::bigint::oid)', [oid]);
      for (let offset = 0; ; offset += chunkBytes) {
        const { data } = await source.one(
          'SELECT lo_get($1::bigint::oid, $2::bigint, $3::int) AS data',
          [oid, offset, chunkBytes],
          chunk,
        );
        if (data.length > 0)
          await target.execute('SELECT lo_put($1::bigint::oid, $2, $3)', [oid, offset, data]);
        bytes += data.length;
        if (data.length < chunkBytes) break;
      }
      if (comment !== null) {
        await target.execute(`COMMENT ON LARGE OBJECT ${String(oid)} IS ${quoteLiteral(comment)}`);
      }
      await target.execute(`ALTER LARGE OBJECT ${String(oid)} OWNER TO ${quoteIdentifier(owner)}`);
    }
    for (const { oid, grantee, privilege, grantable } of grants) {
      const to = grantee === null ? 'PUBLIC' : quoteIdentifier(grantee);
      await target.execute(
        `GRANT ${privilege} ON LARGE OBJECT ${String(oid)} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`,
      );
    }
  });
  return { count: objects.length, bytes };
}

/** One number for all large objects: equal where oids, owners and contents are. Reads every byte. */
export async function largeObjectsDigest(
  session: Session,
): Promise<{ readonly count: number; readonly digest: string }> {
  return await session.one(
    `SELECT count(*) AS count,
            coalesce(sum(hashtextextended(
              m.oid::text || ':' || pg_get_userbyid(m.lomowner) || ':' || md5(lo_get(m.oid)), 0)::numeric), 0)::text AS digest
       FROM pg_largeobject_metadata m`,
    [],
    z.object({ count: wholeNumber, digest: text }),
  );
}
