import type { Command } from '../../domain/command.ts';
import type { EventHead } from '../../domain/event.ts';
import type { BatchId } from '../../domain/ids.ts';
import { approve } from './approve.ts';
import { cancelBatch, cancelMove } from './cancel.ts';
import { holdOrRelease } from './hold.ts';
import { pauseOrResume } from './pause.ts';
import { retry, type RetryServices } from './retry.ts';
import { reverse } from './reverse.ts';
import { start } from './start.ts';
import { moveInBatch, withdraw } from './withdraw.ts';
import type { WakeServices } from './wake-moves.ts';

export type CommandServices = WakeServices & RetryServices;

/**
 * Carries out a command. Each says how things are to be: given once more, or to what is so already, it changes
 * nothing. What every verb answers in every state stands in docs/commands.md.
 *
 * @returns the batch that it makes, if it makes one
 * @throws Refused when it cannot be; nothing has been changed then
 */
export async function carryOut(
  services: CommandServices,
  head: EventHead,
  command: Command,
): Promise<BatchId | undefined> {
  const { verb, subject, reason, at } = command;
  const by = { by: head.source, at, reason };
  switch (verb) {
    case 'pause':
    case 'resume':
      await pauseOrResume(services, { ...command, verb }, by);
      return undefined;
    case 'hold':
    case 'release':
      await holdOrRelease(services, { ...command, verb }, by);
      return undefined;
    case 'start':
      if (subject.kind === 'batch') await start(services, subject.batch, by);
      return undefined;
    case 'approve':
      if (subject.kind === 'batch') await approve(services, subject.batch, by);
      return undefined;
    case 'cancel':
      if (subject.kind === 'batch') await cancelBatch(services, subject.batch, by);
      if (subject.kind === 'move') await cancelMove(services, subject.move, by);
      return undefined;
    case 'retry':
      return retry(services, head, command, by);
    case 'reverse':
      return subject.kind === 'move' ? reverse(services, head, subject.move, reason) : undefined;
    case 'withdraw':
      if (subject.kind === 'move') await withdraw(services, subject.move, by);
      if (subject.kind === 'part')
        await withdraw(services, await moveInBatch(services, subject.batch, subject.endpoint), by);
      return undefined;
    default:
      return verb satisfies never;
  }
}
