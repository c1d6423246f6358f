import type { PackagedTemplate } from '../template.ts';

/**
 * What must hold of every template of ours, whatever is in it. The rules are ours and not cfn-guard's: most of them join
 * resources (a queue, the function behind it, its dead letters, their alarm), for which Guard has no words, and the
 * program comes to npm only with the whole of the CDK.
 */
export interface Rule {
  /** Ends the sentence "every template …". */
  readonly name: string;
  /** Where it does not hold: the resource, and what is wrong with it. */
  readonly faults: (template: PackagedTemplate) => readonly string[];
}
