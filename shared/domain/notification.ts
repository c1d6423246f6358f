/** What people are told of. */
export type NotificationKind =
  | 'approval-wanted'
  | 'batch-finished'
  | 'drain-infeasible'
  | 'healing-begun'
  | 'healing-ended'
  | 'move-stuck';

/** What somebody is told who may be woken by it: what is the matter, why, and what next. */
export interface News {
  /** What it is about, and which time: told once under it, however often it is said. */
  readonly id: string;
  readonly kind: NotificationKind;
  /** One line, without what follows from it. */
  readonly subject: string;
  /** A few sentences that need no other to be understood. */
  readonly what: string;
  /** Each reason on a line, that which counts most first. */
  readonly why: readonly string[];
  /** Each thing to do on a line: commands, where there is one. */
  readonly next: readonly string[];
  /** For programs: the names of what it is about, and figures. */
  readonly about: Readonly<Record<string, string | number>>;
}

/** News that are kept until they have been told, and for people to look at afterwards. */
export interface Notification extends News {
  /** Epoch milliseconds. */
  readonly at: number;
  /** When (epoch milliseconds) it was told. */
  readonly toldAt?: number;
  readonly version: number;
}

/** The text of a message. */
export function textOf({ what, why, next }: Pick<News, 'what' | 'why' | 'next'>): string {
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [what, ...list('Why:', why), ...list('What next:', next)].join('\n');
}
