import type { Command } from '../../domain/command.ts';
import type { CutoverWord, Hold } from '../../domain/pause.ts';
import type { BatchId, MoveId } from '../../domain/ids.ts';
import { isSettled, labelOf } from '../../domain/move.ts';
import { Refused } from '../requests/record-request.ts';
import { changeBatch, knownMove, saidLater } from './subjects.ts';
import { cuttingOverOf, wakeMoves, type WakeServices } from './wake-moves.ts';

/**
 * Holds the cutover of a move or of all moves of a batch, or releases it. Of what was said of a move and of its batch
 * the latest word stands. What is frozen already goes through.
 *
 * @throws Refused `move-ended`, `command-superseded`, or when there is no such thing
 */
export async function holdOrRelease(
  services: WakeServices,
  { verb, subject, reason }: Command & { readonly verb: 'hold' | 'release' },
  by: Hold,
): Promise<void> {
  const word: CutoverWord = { kind: verb === 'hold' ? 'held' : 'released', ...by };
  const isBatch = subject.kind === 'batch';
  if (isBatch) await ofBatch(services, subject.batch, word);
  else if (subject.kind === 'move') await ofMove(services, subject.move, word);
  if (verb === 'hold') return;
  const ids = isBatch ? await cuttingOverOf(services, subject.batch) : [];
  const id = subject.kind === 'move' ? [subject.move] : ids;
  await wakeMoves(services, id, by.by, { verb, reason });
}

async function ofBatch(services: WakeServices, id: BatchId, word: CutoverWord): Promise<void> {
  await changeBatch(services, id, (batch) =>
    withCutover(batch, newsOf(batch.cutover, word, `the cutovers of ${id}`)),
  );
}

async function ofMove(services: WakeServices, id: MoveId, word: CutoverWord): Promise<void> {
  for (;;) {
    const move = await knownMove(services, id);
    if (isSettled(labelOf(move.execution))) {
      throw new Refused({
        code: 'move-ended',
        field: 'data.move',
        sentence: `move ${id} has no cutover before it any more: it is ${labelOf(move.execution)}`,
        cure: `see how it ended: dray move show ${id}`,
      });
    }
    if (move.joined !== undefined) throw isJoined(move.id, move.joined.move);
    const after = withCutover(move, newsOf(move.cutover, word, `the cutover of ${id}`));
    if (after === move) return;
    const answer = await services.store.commit('move', move, after);
    if (answer.kind === 'committed') return;
  }
}

function isJoined(id: MoveId, carrier: MoveId): Refused {
  return new Refused({
    code: 'move-joined',
    field: 'data.move',
    sentence: `move ${id} has no cutover of its own: ${carrier} takes the endpoint along`,
    cure: `say it of that one: dray move hold ${carrier} --reason …; or take this batch's reason away: dray move withdraw ${id} --reason …`,
  });
}

const withCutover = <T extends object>(it: T, cutover: CutoverWord | undefined): T =>
  cutover === undefined ? it : { ...it, cutover };

/**
 * What stands once this has been said, as of pauses: a hold that comes from another publisher than what stands counts
 * however late its clock is.
 *
 * @returns undefined when it is so already
 */
function newsOf(last: CutoverWord | undefined, word: CutoverWord, what: string): CutoverWord | undefined {
  if (last === undefined || last.at < word.at) return word;
  if (last.kind === word.kind) return undefined;
  if (last.at === word.at) return word;
  if (word.kind === 'released' || last.by === word.by) throw saidLater(what, last, word);
  return { ...word, at: last.at + 1 };
}
