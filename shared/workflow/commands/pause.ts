import type { Command, Subject } from '../../domain/command.ts';
import type { MoveId } from '../../domain/ids.ts';
import { said, type Pausable, type PauseWord, type Hold } from '../../domain/pause.ts';
import { arbitrate, silent } from '../arbiter.ts';
import { changeFleet } from '../fleet-record.ts';
import { unknownEndpoint } from '../requests/endpoints.ts';
import { knownHost } from '../requests/known-host.ts';
import { changeBatch, knownMove, saidLater } from './subjects.ts';
import { cuttingOverOf, underWay, underWayOn, wakeMoves, type WakeServices } from './wake-moves.ts';

/**
 * Holds back a batch, a host, an endpoint or everything, or lets it go. Nothing of it begins and nothing cuts over;
 * what copies goes on copying, and what is frozen goes through.
 *
 * @throws Refused when there is no such thing, or the opposite was said later
 */
export async function pauseOrResume(
  services: WakeServices,
  { verb, subject, reason }: Command & { readonly verb: PauseWord },
  by: Hold,
): Promise<void> {
  await say(services, subject, verb, by);
  if (verb === 'resume')
    await wakeMoves(services, await waitingOn(services, subject), by.by, { verb, reason });
}

async function say(services: WakeServices, subject: Subject, verb: PauseWord, by: Hold): Promise<void> {
  switch (subject.kind) {
    case 'all':
      await changeFleet(services, (fleet) => withWord(fleet, 'everything', verb, by));
      return;
    case 'batch':
      await changeBatch(services, subject.batch, (batch) => withWord(batch, batch.id, verb, by));
      return;
    case 'host':
      for (;;) {
        const host = await knownHost(services, subject.host, 'data.host');
        const after = withWord(host, host.name, verb, by);
        if (after === host || (await services.store.commit('host', host, after)).kind === 'committed') return;
      }
    case 'endpoint': {
      const { endpoint } = subject;
      if ((await services.store.load('endpoint', { endpoint })) === undefined)
        throw unknownEndpoint(endpoint, 'data.endpoint');
      const command = { kind: verb, by };
      const answer = await arbitrate(services, endpoint, command);
      if (answer.kind === 'refused') throw saidLater(endpoint, oppositeOf(answer.placement, verb) ?? by, by);
      if (answer.kind === 'unknown') throw silent(endpoint, command);
      return;
    }
    case 'move':
      // Contracts take a pause of no single move: its cutover is held instead.
      await knownMove(services, subject.move);
      return;
    case 'part':
      return;
    default:
      return subject satisfies never;
  }
}

/** @returns the same object when it is so already */
function withWord<P extends Pausable>(it: P, what: string, verb: PauseWord, by: Hold): P {
  const state = said(it, verb, by);
  if (state === 'said-later') throw saidLater(what, oppositeOf(it, verb) ?? by, by);
  if (state === 'so-already') return it;
  const copy = { ...it, ...state };
  Reflect.deleteProperty(copy, verb === 'pause' ? 'resumed' : 'paused');
  return copy;
}

const oppositeOf = ({ paused, resumed }: Pausable, verb: PauseWord): Hold | undefined =>
  verb === 'pause' ? resumed : paused;

async function waitingOn(services: WakeServices, subject: Subject): Promise<readonly MoveId[]> {
  switch (subject.kind) {
    case 'all':
      return underWay(services);
    case 'batch':
      return cuttingOverOf(services, subject.batch);
    case 'host':
      return underWayOn(services, subject.host);
    case 'endpoint': {
      const placement = await services.store.load('endpoint', { endpoint: subject.endpoint });
      return placement?.claim === undefined ? [] : [placement.claim.move];
    }
    case 'move':
      return [subject.move];
    case 'part':
      return [];
    default:
      return subject satisfies never;
  }
}
