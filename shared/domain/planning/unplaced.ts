import type { Failure } from '../failure.ts';
import type { HostName } from '../ids.ts';
import type { Ground } from './ground.ts';
import type { Stop, Unplaced } from './plan.ts';
import { obstacle, type Rule, type Traveller } from './rules.ts';
import type { Seat } from './snapshot.ts';

const mostExamples = 3;

/** Which rules stop which hosts from taking an endpoint, those that stop most first. */
export function stopsOf(ground: Ground, traveller: Traveller, wanted?: HostName): readonly Stop[] {
  const stops = new Map<Rule, { hosts: number; examples: HostName[] }>();
  for (const site of ground.sites) {
    const { name } = site.host;
    if (site === traveller.from || (wanted !== undefined && wanted !== name)) continue;
    const rule = obstacle(ground, traveller, site);
    if (rule === undefined) continue;
    const stop = stops.get(rule) ?? { hosts: 0, examples: [] };
    stop.hosts += 1;
    if (stop.examples.length < mostExamples) stop.examples.push(name);
    stops.set(rule, stop);
  }
  return [...stops]
    .map(([rule, stop]) => ({ rule, ...stop }))
    .sort((one, other) => other.hosts - one.hosts || (one.rule < other.rule ? -1 : 1));
}

/** An endpoint that no host may take, with the reason. */
export function withoutTarget(ground: Ground, traveller: Traveller, wanted?: HostName): Unplaced {
  const { seat } = traveller;
  const stops = stopsOf(ground, traveller, wanted);
  const listed = stops
    .filter(({ rule }) => rule !== 'pin' || stops.length === 1)
    .map((stop) => phraseOf(stop, traveller))
    .join(', ');
  const who = traveller.isPinned ? `${seat.endpoint}, which is pinned to ${String(seat.pin)}` : seat.endpoint;
  const rules = new Set(stops.map(({ rule }) => rule));
  const failure: Failure = {
    code: 'no-target',
    sentence:
      wanted === undefined
        ? `no host may take ${who}: ${listed === '' ? 'there is no other' : listed}`
        : `${wanted} may not take ${who}: ${listed === '' ? 'there is no such host' : listed}`,
    cure: cureOf(rules),
  };
  return { seat, failure, stops };
}

/** Is it for want of a host that may take it, and not because it moves already, or is where it is to be? */
export const isForWantOfTarget = ({ code }: Pick<Failure, 'code'>): boolean =>
  code === 'no-target' || code === 'endpoint-pinned';

/** It stays where it is, whatever the hosts. */
export function staying(seat: Seat, failure: Failure): Unplaced {
  return { seat, failure, stops: [] };
}

export const movingAlready = (seat: Seat): Unplaced =>
  staying(seat, {
    code: 'endpoint-moving',
    sentence: `${seat.endpoint} is being moved already, by ${String(seat.moving?.move)}`,
    cure: 'nothing to do where that move is what is wanted: the batch joins it; else wait for its end, then ask again',
  });

export const pinnedWhereItIs = (seat: Seat): Unplaced =>
  staying(seat, {
    code: 'endpoint-pinned',
    sentence: `${seat.endpoint} is pinned to ${seat.host}, where it is`,
    cure: `move it by its name, or take the pin away: dray endpoint change ${seat.endpoint} --without pin`,
  });

export const thereAlready = (seat: Seat): Unplaced =>
  staying(seat, {
    code: 'source-is-target',
    sentence: `${seat.endpoint} is on ${seat.host} already`,
    cure: 'choose another target, or leave it out and let the planner choose',
  });

/** `6 hosts have too little room`, or of one host by its name. */
function phraseOf({ rule, hosts, examples }: Stop, { seat, under }: Traveller): string {
  const [only] = examples;
  const who = hosts === 1 && only !== undefined ? only : `${String(hosts)} hosts`;
  const verb = (one: string, many: string): string => `${who} ${hosts === 1 ? one : many}`;
  switch (rule) {
    case 'engine':
      return verb('is of another engine', 'are of another engine');
    case 'version':
      return verb('runs an older version', 'run an older version');
    case 'cordoned':
    case 'draining':
    case 'retired':
      return verb(`is ${rule}`, `are ${rule}`);
    case 'failed':
      return verb('has failed', 'have failed');
    case 'zones':
      return `${verb('is', 'are')} outside its zones (${(seat.zones ?? []).join(', ')})`;
    case 'pin':
      return `${verb('is', 'are')} not the host to which it is pinned`;
    case 'group':
      return `${verb('holds', 'hold')} another of group ${String(seat.group?.name)}`;
    case 'group-zone':
      return `${verb('is in a zone that holds', 'are in zones that hold')} another of group ${String(seat.group?.name)}`;
    case 'room':
      return verb('has too little room', 'have too little room');
    case 'share':
      return `${verb('would itself be', 'would themselves be')} filled to ${percent(under ?? 1)}`;
    default:
      return rule satisfies never;
  }
}

function cureOf(rules: ReadonlySet<Rule>): string {
  const cures = [
    ...(rules.has('room') || rules.has('share') ? ['make room on a host, or add one'] : []),
    ...(rules.has('cordoned') || rules.has('draining') ? ['uncordon a host'] : []),
    ...(rules.has('failed') ? ['wait until a host has recovered'] : []),
    ...(rules.has('zones') ? ['let it be in more zones'] : []),
    ...(rules.has('group') || rules.has('group-zone') ? ['move another of its group away'] : []),
    ...(rules.has('pin') ? ['take its pin away'] : []),
  ];
  return cures.length === 0 ? 'add a host that may take it' : cures.join(', or ');
}

/** `70 %`. */
export const percent = (share: number): string => `${String(Math.round(share * 1_000) / 10)} %`;
