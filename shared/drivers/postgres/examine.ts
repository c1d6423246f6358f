import type { HostSite, PreflightFinding } from '../../ports/driver.ts';
import { siteAddress } from './address.ts';
import { look } from './describe.ts';
import { tokenSchema } from './names.ts';
import { checkLongTransactions, checkRoom, checkWal } from './preflight/replication.ts';
import { asPortFindings, Findings } from './preflight/report.ts';
import { checkRights, checkServer, readServer } from './preflight/server.ts';

/** What preflight would find of a server whichever database moved out of it, or into it. */
export async function examine(site: HostSite, installation: string): Promise<readonly PreflightFinding[]> {
  const { maintenance } = siteAddress(site);
  return await look(site, async (session) => {
    const findings = new Findings();
    const server = await readServer(session, tokenSchema(installation));
    checkServer(server, findings);
    const mode = checkWal(server, 'allow', findings);
    for (const side of ['out', 'in'] as const) {
      checkRights(server, side, maintenance, findings);
      if (side === 'in' || mode === 'online') checkRoom(server, side, findings);
    }
    await checkLongTransactions(session, findings);
    return asPortFindings(findings.list).filter(
      ({ sentence }, at, all) => all.findIndex((other) => other.sentence === sentence) === at,
    );
  });
}
