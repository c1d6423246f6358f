import { explainMove, hasFailed, type Explanation, type Outlook } from './explain.ts';
import type { Host } from './host.ts';
import type { HostName } from './ids.ts';
import type { Move } from './move.ts';
import type { Placement } from './placement.ts';

/** An endpoint. @param move the one that has it, or else the last one that had it, if there was one */
export function explainEndpoint(
  placement: Placement,
  move: Move | undefined,
  hosts: ReadonlyMap<HostName, Host> = new Map(),
  outlook: Outlook = {},
): Explanation {
  const { endpoint, host, database, epoch } = placement;
  const where = `is on ${host} (database ${database}, epoch ${String(epoch)}) and ${writability(placement)}`;
  const subject = `endpoint ${endpoint}`;
  const elsewhere = [`dray move ${endpoint} --to <host>`];
  if (move === undefined) return { subject, sentence: where, blockers: [], actions: elsewhere };
  const { sentence, blockers, actions, since } = explainMove(move, hosts, outlook);
  const isHeld = placement.claim?.move === move.id;
  const which = isHeld ? `${move.id} moves it` : `its last move was ${move.id},`;
  return {
    subject,
    sentence: `${where}; ${which} from ${move.source} to ${move.target}: ${sentence}`,
    ...(since === undefined ? {} : { since }),
    blockers,
    actions: [
      ...new Set([
        ...actions,
        ...(isHeld || hasFailed(move.execution) ? [] : elsewhere),
        `dray move show ${move.id}`,
      ]),
    ],
  };
}

function writability({ arbitration }: Placement): string {
  switch (arbitration.kind) {
    case 'serving':
      return 'serves';
    case 'frozen':
      return 'is frozen for its cutover';
    case 'thawing':
      return 'is being opened again where it was';
    case 'flipped':
      return `has just left ${arbitration.from}; it is still closed`;
    case 'opening':
      return `has left ${arbitration.from} and is being opened`;
    default:
      return arbitration satisfies never;
  }
}
