import type { HostName } from '../ids.ts';
import { ofPlacement, serverOf } from './placement.ts';
import type { AuditScene, Difference, Leftover } from './scene.ts';

/** How rows and hosts differ. Empty: they agree, as far as hosts could be asked. */
export function differencesIn(scene: AuditScene): readonly Difference[] {
  const placeOf = (host: HostName, database: string): string =>
    JSON.stringify([serverOf(scene, host) ?? host, database]);
  const names = new Set(scene.placements.map(({ host, database }) => placeOf(host, database)));
  const isClaimed = (host: HostName, database: string): boolean => names.has(placeOf(host, database));
  return [
    ...scene.placements.flatMap((placement) =>
      ofPlacement(scene, placement, isClaimed).map((difference) => ({ ...difference, placement })),
    ),
    ...scene.leftovers.map(ofLeftover),
  ];
}

/** What may be the only copy of something. */
const dataKinds: readonly string[] = ['database', 'retained'];

function ofLeftover(leftover: Leftover): Difference {
  const { host, move, item, is } = leftover;
  const about = { subject: `host ${host}` } as const;
  const what = `has the ${item.kind} "${item.name}" of move ${move}`;
  if (is === 'orphan') {
    return {
      ...about,
      code: 'orphan',
      sentence: `${what}, which has ended`,
      cure: 'sweep the host: what the sweep sees for the first time goes with its next look, within ten minutes',
      repair: { kind: 'sweep', host, key: item.key },
    };
  }
  const sentence = `${what}, of which there is no row`;
  return dataKinds.includes(item.kind)
    ? {
        ...about,
        code: 'copy-of-unknown-move',
        sentence,
        cure: 'it may hold what nothing else does: look at it, and drop it by hand once its endpoint is known to be whole elsewhere',
      }
    : {
        ...about,
        code: 'thing-of-unknown-move',
        sentence,
        cure: 'remove it: it holds no data, and a slot keeps the log of its whole server',
        repair: { kind: 'remove', leftover },
      };
}

/** Of a row that this release cannot read. */
export function unreadable(subject: string): Difference {
  return {
    code: 'row-not-compared',
    subject,
    sentence: 'has a row that cannot be read, and was not compared',
    cure: 'deploy the release that wrote it, or repair the attribute that dray names when it shows it; then audit again',
  };
}

/** Of a host that could not be asked. */
export function unasked(host: HostName, why: string, cure: string): Difference {
  return { code: 'host-not-asked', subject: `host ${host}`, sentence: `was not asked: ${why}`, cure };
}
