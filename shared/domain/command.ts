import type { BatchId, EndpointName, HostName, MoveId } from './ids.ts';

/** What a person, or a program in their place, tells the fleet to do. */
export interface Command {
  readonly verb: Verb;
  readonly subject: Subject;
  readonly reason: string;
  /** Epoch milliseconds: of two words about one thing the later one stands, whichever arrives first. */
  readonly at: number;
}

/** What a command is about. */
export type Subject =
  | { readonly kind: 'batch'; readonly batch: BatchId }
  | { readonly kind: 'move'; readonly move: MoveId }
  | { readonly kind: 'host'; readonly host: HostName }
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointName }
  | { readonly kind: 'all' }
  /** What one batch wants with one endpoint. */
  | { readonly kind: 'part'; readonly batch: BatchId; readonly endpoint: EndpointName };
/** What has a field of its own. */
export type SubjectKind = Exclude<Subject['kind'], 'part'>;

/** What each verb can be about. */
export const subjectsOf = {
  start: ['batch'],
  approve: ['batch'],
  pause: ['batch', 'host', 'endpoint', 'all'],
  resume: ['batch', 'host', 'endpoint', 'all'],
  cancel: ['batch', 'move'],
  hold: ['batch', 'move'],
  release: ['batch', 'move'],
  retry: ['batch', 'move'],
  reverse: ['move'],
  withdraw: ['move'],
} as const satisfies Readonly<Record<string, readonly SubjectKind[]>>;
export type Verb = keyof typeof subjectsOf;
