import type { Kind } from '../../shared/drivers/simulated/protocol.ts';
import { Dice } from '../support/dice.ts';
import type { FunctionName, QueueName } from './functions.ts';

/** What befalls a call of a port, where every function can die. */
export type CallTrouble =
  /** The process dies, and the call has never been made. */
  | 'kill-before'
  /** The process dies, and the call has had its effect. */
  | 'kill-after'
  /** No answer comes, and nothing has happened. */
  | 'lost-request'
  /** No answer comes, and it has happened. */
  | 'lost-answer'
  /** No answer comes, and it happens later, if it still can. */
  | 'late'
  /** Somebody else writes the row first. */
  | 'conflict'
  /** The process stands still for longer than its lease, and goes on. */
  | 'stop';

/** One thing that goes wrong. A scenario's faults stand in a list, so that one can be left out. */
export type Fault =
  /** The `nth` call that processes of a function make, or the first after it that this can befall. */
  | {
      readonly kind: 'call';
      readonly fn: FunctionName;
      readonly nth: number;
      readonly what: CallTrouble;
      readonly forMs: number;
    }
  /** The `nth` message of a queue. `vanish`: for good; `redeliver`: its first delivery leads nowhere. */
  | {
      readonly kind: 'message';
      readonly queue: QueueName;
      readonly nth: number;
      readonly what: 'vanish' | 'duplicate' | 'redeliver' | 'delay';
      readonly forMs: number;
    }
  /** Somebody deletes what is in every queue of our own, in functions' hands or not. */
  | { readonly kind: 'queues'; readonly at: number; readonly what: 'empty' }
  /** The `nth` change of the table's stream. `end`: from there on it carries nothing any more. */
  | { readonly kind: 'stream'; readonly nth: number; readonly what: 'lose' | 'repeat' | 'end' }
  | {
      readonly kind: 'host';
      readonly host: string;
      readonly at: number;
      readonly what: 'down' | 'slow' | 'restart' | 'fail' | 'lose' | 'cut-sessions';
      readonly forMs: number;
      readonly operation: Kind;
    }
  /** A host is said to have failed, or to be well again. Of the host itself it changes nothing. */
  | { readonly kind: 'health'; readonly host: string; readonly at: number; readonly what: 'fail' | 'recover' }
  /** The table answers nobody, or late. */
  | {
      readonly kind: 'table';
      readonly at: number;
      readonly what: 'away' | 'slow';
      readonly forMs: number;
    }
  /** Some process that works at that moment. */
  | { readonly kind: 'process'; readonly at: number; readonly what: 'kill' | 'stop'; readonly forMs: number }
  /** Each process has a clock that is wrong by up to this. */
  | { readonly kind: 'skew'; readonly mostMs: number };

const operations: readonly Kind[] = [
  'inspect',
  'survey',
  'create-database',
  'name-database',
  'publish',
  'subscribe',
  'replication',
  'digest',
  'fence',
  'unfence',
  'marker',
  'settle',
  'fence-for-good',
  'open',
  'probe',
  'tail',
  'unsubscribe',
  'unpublish',
  'retain',
  'drop-database',
  'residue',
  'remove-residue',
];

/** Where calls are befallen, as often as it stands here; and about how many calls a move makes there. */
const calls: readonly (readonly [fn: FunctionName, weight: number, callsPerMove: number])[] = [
  ['transfer', 26, 45],
  ['cutover', 34, 40],
  ['rollback', 8, 12],
  ['retire', 8, 7],
  ['plan', 6, 7],
  ['dispatch', 5, 12],
  ['requests', 4, 2],
  ['host-changes', 2, 1],
  ['relay', 5, 15],
  ['sweep-rows', 3, 10],
  ['host-sweep', 3, 6],
];

const callTroubles: readonly CallTrouble[] = [
  'kill-before',
  'kill-after',
  'kill-after',
  'lost-request',
  'lost-answer',
  'lost-answer',
  'late',
  'conflict',
  'stop',
  'stop',
  'stop',
];

const queues: readonly QueueName[] = [
  'transfer',
  'transfer',
  'cutover',
  'cutover',
  'retire',
  'rollback',
  'plan',
  'dispatch',
  'host-sweep',
  'requests',
  'host-changes',
];

/** What a scenario of so many moves has to go through. */
export function planFaults(
  seed: number,
  scene: { readonly hosts: readonly string[]; readonly moves: number; readonly untilMs: number },
): readonly Fault[] {
  const dice = new Dice(seed ^ 0x5eed_fa17);
  const weighted = calls.flatMap((call) => Array.from({ length: call[1] }, () => call));
  const failing = new Map<string, number>();
  const faults: Fault[] = [];
  const count = dice.between(32, 54);
  if (dice.chance(0.7)) faults.push({ kind: 'skew', mostMs: dice.pick([50, 500, 2_500]) });
  while (faults.length < count) {
    const at = dice.between(500, scene.untilMs);
    const throwOf = dice.fraction();
    if (throwOf < 0.62) {
      const [fn, , perMove] = dice.pick(weighted);
      const nth = dice.between(1, Math.max(3, perMove * scene.moves));
      faults.push({
        kind: 'call',
        fn,
        nth,
        what: dice.pick(callTroubles),
        forMs: dice.between(1_000, 20_000),
      });
    } else if (throwOf < 0.74) {
      faults.push(messageFault(dice, scene.moves));
    } else if (throwOf < 0.79) {
      faults.push({
        kind: 'stream',
        nth: dice.between(1, scene.moves * 25),
        what: dice.pick(['lose', 'repeat']),
      });
    } else if (throwOf < 0.93) {
      const fault = hostFault(dice, scene.hosts, at);
      // A step that is failed three times is rightly given up: two may pass by themselves.
      const key = `${fault.host} ${fault.operation}`;
      const known = failing.get(key) ?? 0;
      if (fault.what === 'fail' && known >= 1) continue;
      if (fault.what === 'fail') failing.set(key, known + 1);
      faults.push(fault);
    } else if (throwOf < 0.95) {
      const what = dice.pick(['away', 'slow'] as const);
      faults.push({ kind: 'table', at, what, forMs: dice.between(300, 4_000) });
    } else {
      faults.push({
        kind: 'process',
        at,
        what: dice.pick(['kill', 'stop']),
        forMs: dice.between(1_000, 25_000),
      });
    }
  }
  if (dice.chance(0.2)) faults.push({ kind: 'queues', at: dice.between(500, scene.untilMs), what: 'empty' });
  return [...faults, ...healthFaults(new Dice(seed ^ 0x0fa1_1ed0), scene)];
}

/** Hosts that fail, flap and recover: by a die of their own, so that all else is as it is without them. */
function healthFaults(
  dice: Dice,
  { hosts, untilMs }: { readonly hosts: readonly string[]; readonly untilMs: number },
): Fault[] {
  return Array.from({ length: dice.between(0, 2) }, (_, index) => index).flatMap((index) => {
    const host = dice.pick(hosts);
    const words = dice.pick([1, 1, 2, 3, 4]);
    // An early one meets what is on its way to the host, a late one what has arrived there. Of two early ones there
    // would often be no host left to go to.
    const isEarly = index === 0 && dice.chance(0.5);
    const first = isEarly ? dice.between(1_000, Math.round(untilMs / 2)) : untilMs - dice.between(0, 5_000);
    return Array.from({ length: words }, (_, nth) => ({
      kind: 'health' as const,
      host,
      at: Math.min(untilMs, Math.round(first + nth * dice.between(500, 15_000))),
      what: nth % 2 === 0 ? ('fail' as const) : ('recover' as const),
    }));
  });
}

function messageFault(dice: Dice, moves: number): Extract<Fault, { readonly kind: 'message' }> {
  const queue = dice.pick(queues);
  const fromOutside = queue === 'requests' || queue === 'host-changes';
  const what = dice.pick(
    fromOutside
      ? (['duplicate', 'redeliver', 'delay'] as const)
      : (['vanish', 'duplicate', 'duplicate', 'redeliver', 'delay'] as const),
  );
  return {
    kind: 'message',
    queue,
    nth: dice.between(1, fromOutside ? 4 : moves * 3),
    what,
    forMs: dice.between(500, 30_000),
  };
}

function hostFault(
  dice: Dice,
  hosts: readonly string[],
  at: number,
): Extract<Fault, { readonly kind: 'host' }> {
  return {
    kind: 'host',
    host: dice.pick(hosts),
    at,
    what: dice.pick(['down', 'slow', 'restart', 'restart', 'fail', 'lose', 'cut-sessions']),
    forMs: dice.between(200, dice.chance(0.2) ? 40_000 : 6_000),
    operation: dice.pick(operations),
  };
}

/** A fault in one line, for people. */
export function tellFault(fault: Fault): string {
  switch (fault.kind) {
    case 'call':
      return `${fault.what} at call ${String(fault.nth)} of ${fault.fn} (${String(fault.forMs)} ms)`;
    case 'message':
      return `${fault.what} message ${String(fault.nth)} of ${fault.queue} (${String(fault.forMs)} ms)`;
    case 'queues':
      return `queues are emptied at ${String(fault.at)} ms`;
    case 'stream':
      return `${fault.what} change ${String(fault.nth)} of the stream`;
    case 'host':
      return `${fault.what} ${fault.host} at ${String(fault.at)} ms for ${String(fault.forMs)} ms (${fault.operation})`;
    case 'health':
      return `${fault.host} is said to ${fault.what} at ${String(fault.at)} ms`;
    case 'table':
      return `table ${fault.what} at ${String(fault.at)} ms for ${String(fault.forMs)} ms`;
    case 'process':
      return `${fault.what} a process at ${String(fault.at)} ms (${String(fault.forMs)} ms)`;
    case 'skew':
      return `clocks wrong by up to ${String(fault.mostMs)} ms`;
    default:
      return fault satisfies never;
  }
}
