import { describe, expect, test } from '@jest/globals';
import { subjectsOf } from '../../shared/domain/command.ts';
import { effectsOnBatch, effectsOnHost, effectsOnMove } from '../../web/command/effect.ts';
import type { ExecutionState } from '../../shared/domain/execution.ts';
import { batchOf, hostOf, moveOf, states } from '../support/sample-batch.ts';

const word = { by: 'anna', at: 5, reason: 'backups' };
const verbs = (effects: readonly { readonly verb: string }[]): string[] => effects.map(({ verb }) => verb);
const running = batchOf({
  state: 'running',
  total: 30,
  counts: { waiting: 12, transferring: 1, 'cutting-over': 2, moved: 10, 'rolled-back': 5 },
});

describe('what the console offers to do with a batch', () => {
  test('goes by how it is', () => {
    expect(verbs(effectsOnBatch(running))).toEqual(['pause', 'hold', 'retry', 'cancel']);
    expect(verbs(effectsOnBatch({ ...running, paused: word }))).toContain('resume');
    expect(verbs(effectsOnBatch({ ...running, paused: word }))).not.toContain('pause');
    expect(verbs(effectsOnBatch({ ...running, cutover: { ...word, kind: 'held' } }))).toContain('release');
    expect(verbs(effectsOnBatch({ ...running, cancelled: word }))).toEqual([]);
    expect(verbs(effectsOnBatch({ ...running, state: 'completed' }))).toEqual(['retry']);
    expect(verbs(effectsOnBatch(batchOf({ state: 'completed', counts: { retired: 3 } })))).toEqual([]);
    const unapproved = {
      ...running,
      policy: { ...running.policy, approval: 'required' as const, start: 'manual' as const },
    };
    expect(verbs(effectsOnBatch(unapproved)).slice(0, 2)).toEqual(['approve', 'start']);
    expect(verbs(effectsOnBatch({ ...unapproved, approved: word, started: word }))).not.toContain('approve');
  });

  test('says with figures what each will do', () => {
    const [pause] = effectsOnBatch(running);
    expect(pause?.does).toEqual([
      '12 moves that wait do not begin.',
      '1 move under way goes on copying and following, and waits before its cutover.',
      '2 moves that are cutting over go through if their writers are paused already.',
      'Clients notice nothing. It stays so until somebody resumes it.',
    ]);
    const cancel = effectsOnBatch(running).find(({ verb }) => verb === 'cancel');
    expect(cancel).toMatchObject({ isFinal: true });
    expect(cancel?.does).toContain('10 endpoints have arrived and stay where they are.');
  });
});

test('what it offers to do with a move is what docs/commands.md has for its state', () => {
  const of = (status: ExecutionState): string[] => verbs(effectsOnMove(moveOf(1, 'shop', status), running));
  expect(of(states.waiting)).toEqual(['hold', 'cancel']);
  expect(of(states.running('copy'))).toEqual(['hold', 'cancel']);
  expect(of(states.running('retire'))).toEqual(['reverse']);
  expect(of(states.completed)).toEqual(['reverse']);
  expect(of(states.rolledBack)).toEqual(['retry']);
  expect(of(states.stuck)).toEqual(['retry']);
  expect(of(states.rollingBack('copy'))).toEqual([]);
  const held = { ...moveOf(1, 'shop', states.running('copy')), cutover: { ...word, kind: 'held' as const } };
  expect(verbs(effectsOnMove(held, running))).toContain('release');
  expect(verbs(effectsOnMove(held, { ...running, cutover: { ...word, at: 6, kind: 'released' } }))).toContain(
    'hold',
  );
});

test('every verb that it offers is one about such a thing', () => {
  const all = [
    ...effectsOnBatch(running).map(({ verb }) => [verb, 'batch'] as const),
    ...[states.waiting, states.completed, states.rolledBack, states.stuck].flatMap((status) =>
      effectsOnMove(moveOf(1, 'shop', status), undefined).map(({ verb }) => [verb, 'move'] as const),
    ),
    ...[hostOf('a'), hostOf('a', { paused: word })].flatMap((host) =>
      effectsOnHost(host).map(({ verb }) => [verb, 'host'] as const),
    ),
  ];
  expect(all.length).toBeGreaterThan(8);
  for (const [verb, kind] of all) expect(subjectsOf[verb]).toContain(kind);
});
