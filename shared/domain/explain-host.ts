import type { Blocker } from './blockers.ts';
import { dueText, overdue } from './deadline.ts';
import type { Explanation } from './explain.ts';
import { healingText, type HealingStage } from './healing.ts';
import type { Signal } from './health.ts';
import { freeBytes, permitsOf, type Host } from './host.ts';

/** A host with what is placed on it. @param at epoch milliseconds: whether its drain is late @param stage how far its failure has come */
export function explainHost(
  host: Host,
  stored: { readonly bytes: number; readonly endpoints: number },
  at = -Infinity,
  stage: HealingStage = { kind: 'none' },
): Explanation {
  const { name, intent, signals } = host;
  const ailments = Object.entries(signals);
  const health =
    ailments.length === 0 ? 'healthy' : `unwell (${ailments.map(([signal]) => signal).join(', ')})`;
  const healing = stored.endpoints === 0 ? undefined : healingText(stage, host);
  const due = stored.endpoints === 0 ? '' : dueText(intent.deadline);
  const spared =
    host.throttle === undefined
      ? ''
      : `, fewer than its ${String(host.movesOut)} and ${String(host.movesIn)} while it is spared (dray status)`;
  const permits = `permits out ${use(host.permitsOut, permitsOf(host, 'out'))}, in ${use(host.permitsIn, permitsOf(host, 'in'))}${spared}`;
  return {
    subject: `host ${name}`,
    sentence: `${intent.value} (${intent.reason}${due}), ${health}${healing === undefined ? '' : `; ${healing}`}; holds ${String(stored.endpoints)} endpoints; ${permits}`,
    blockers: [
      ...overdue(intent.deadline, at, stored.endpoints),
      ...ailments.map(([signal, open]) => ailment(host, signal, open)),
      ...fullSides(host, stored.bytes),
    ],
    actions: [
      ...(stage.kind === 'none' || stored.endpoints === 0 ? [] : [`dray host show ${name}`]),
      ...hostActions(host, stored.endpoints),
    ],
  };
}

function ailment(
  { name, permitsOut, permitsIn }: Host,
  signal: string,
  { kind, since, reason }: Signal,
): Blocker {
  return {
    kind: 'failing',
    code: signal,
    on: `${name}: ${signal}${reason === undefined ? '' : ` (${reason})`}`,
    moves: permitsOut.length + permitsIn.length,
    since,
    cure:
      kind === 'failed'
        ? `make ${name} well again and say so (dray host recover ${name} --signal ${quoted(signal)}), or drain it: dray drain ${name} --reason …`
        : `it goes on with fewer moves at once; if it is over: dray host recover ${name} --signal ${quoted(signal)}`,
    examples: [],
  };
}

/** A word for a command line. */
const quoted = (text: string): string =>
  /^[\w:.-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;

const use = (held: readonly string[], limit: number): string => `${String(held.length)}/${String(limit)}`;

function fullSides(host: Host, storedBytes: number): Blocker[] {
  const { name } = host;
  const busy = (held: Host['permitsOut'], limit: number, way: string): Blocker[] =>
    held.length < limit
      ? []
      : [
          {
            kind: 'waiting',
            code: 'permit',
            on: `a permit ${way} ${name}`,
            moves: held.length,
            cure: `wait for a move that holds one: dray explain ${held[0] ?? name}`,
            examples: held.slice(0, 3),
          },
        ];
  const space: Blocker[] =
    freeBytes(host, storedBytes) > 0
      ? []
      : [
          {
            kind: 'waiting',
            code: 'no-space',
            on: `space on ${name}`,
            moves: 0,
            cure: `move endpoints away, or correct its capacity: dray host change ${name} --capacity …`,
            examples: [],
          },
        ];
  return [
    ...busy(host.permitsOut, permitsOf(host, 'out'), 'out of'),
    ...busy(host.permitsIn, permitsOf(host, 'in'), 'into'),
    ...space,
  ];
}

function hostActions({ name, intent }: Host, endpoints: number): string[] {
  if (intent.value === 'retired') return [`dray host uncordon ${name}`];
  if (endpoints === 0)
    return intent.value === 'draining' ? [`${name} is empty: dray host remove ${name} --reason …`] : [];
  return [
    `dray endpoint list --host ${name}`,
    ...(intent.value === 'draining' ? [] : [`dray drain ${name} --reason …`]),
  ];
}
