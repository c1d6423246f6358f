import type { HostName } from '../../domain/ids.ts';
import type { LineFault, ManifestEntry } from '../../domain/manifest.ts';
import { loadReadable } from '../each-apart.ts';
import type { Services } from '../services.ts';
import { checkTarget } from '../requests/known-host.ts';
import { Refused } from '../requests/record-request.ts';

type LookUpServices = Pick<Services, 'store' | 'log'>;

/** Compares the lines of a manifest with what there is, a page at a time. Hosts are asked for once. */
export class LookUp {
  readonly #services: LookUpServices;
  readonly #targets = new Map<HostName, Promise<Omit<LineFault, 'line'> | undefined>>();

  constructor(services: LookUpServices) {
    this.#services = services;
  }

  /** What is wrong with each entry; undefined where nothing is. */
  async faultsOf(entries: readonly ManifestEntry[]): Promise<readonly (LineFault | undefined)[]> {
    const placements = await loadReadable(
      this.#services,
      'endpoint',
      entries.map(({ endpoint }) => ({ endpoint })),
    );
    return Promise.all(
      entries.map(async ({ line, endpoint, target }, nth) => {
        const placement = placements[nth];
        const where = `line ${String(line)}`;
        if (placement === undefined) {
          return {
            line,
            code: 'endpoint-unknown',
            sentence: `${where}: there is no endpoint ${endpoint}`,
            cure: `correct its name, or register it: dray endpoint add ${endpoint} --host … --database …`,
          };
        }
        if (placement === 'unreadable') {
          return {
            line,
            code: 'endpoint-unreadable',
            sentence: `${where}: the row of endpoint ${endpoint} cannot be read`,
            cure: 'deploy the version that wrote it, or repair the attribute that the log names',
          };
        }
        if (target === undefined) return undefined;
        if (placement.host === target) {
          return {
            line,
            code: 'source-is-target',
            sentence: `${where}: ${endpoint} is on ${target} already`,
            cure: 'leave the line out, or name another target',
          };
        }
        const closed = await this.#faultOfTarget(target);
        return closed === undefined
          ? undefined
          : { ...closed, line, sentence: `${where}: ${closed.sentence}` };
      }),
    );
  }

  #faultOfTarget(target: HostName): Promise<Omit<LineFault, 'line'> | undefined> {
    const known = this.#targets.get(target) ?? this.#look(target);
    this.#targets.set(target, known);
    return known;
  }

  async #look(target: HostName): Promise<Omit<LineFault, 'line'> | undefined> {
    try {
      await checkTarget(this.#services, target);
      return undefined;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, sentence, cure } = error.refusal;
      return { code, sentence, cure };
    }
  }
}
