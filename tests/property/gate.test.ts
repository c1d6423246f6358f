import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mayBegin, mayCutOver, type GateScene } from '../../shared/domain/gate.ts';
import { said, type Pausable, type PauseWord } from '../../shared/domain/pause.ts';
import { rule } from '../../shared/domain/placement.ts';
import { anyRecord } from '../support/arbitraries.ts';

interface Word {
  readonly word: PauseWord;
  readonly at: number;
}

const wordsOf = fc
  .uniqueArray(fc.nat(1_000), { maxLength: 8 })
  .chain((times) =>
    fc.tuple(
      ...times.map((at) => fc.record({ word: fc.constantFrom('pause', 'resume'), at: fc.constant(at) })),
    ),
  );

const by = (at: number) => ({ by: 'ops', at, reason: 'test' });

function after(words: readonly Word[], it: Pausable = {}): Pausable {
  return words.reduce((state, { word, at }) => {
    const next = said(state, word, by(at));
    return typeof next === 'string' ? state : next;
  }, it);
}

describe('what is held back and let go', () => {
  test('stands by the latest word, in whatever order the words arrive, and however often', () => {
    const stories = wordsOf.chain((words) => {
      const twice = [...words, ...words];
      return fc.tuple(fc.constant(words), fc.shuffledSubarray(twice, { minLength: twice.length }));
    });
    fc.assert(
      fc.property(stories, ([words, shuffled]) => {
        const latest = words.toSorted((one, other) => one.at - other.at).at(-1);
        const state = after(shuffled);
        expect(state).toEqual(
          latest === undefined ? {} : { [latest.word === 'pause' ? 'paused' : 'resumed']: by(latest.at) },
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is as it was once a pause is over, for everything that asks', () => {
    fc.assert(
      fc.property(
        anyRecord.batch,
        anyRecord.host,
        anyRecord.endpoint,
        anyRecord.fleet,
        fc.nat(3),
        (...all) => {
          const [batch, host, placement, fleet, which] = all;
          const scene: GateScene = {
            fleet: quiet(fleet),
            batch: quiet(batch),
            hosts: [quiet(host)],
            placement: quiet(placement),
          };
          const now = 4_000_000_000_001;
          const paused = withWords(scene, which, [{ word: 'pause', at: now }]);
          const resumed = withWords(scene, which, [
            { word: 'pause', at: now },
            { word: 'resume', at: now + 1 },
          ]);
          expect(mayBegin(paused, now).kind).toBe('closed');
          expect(mayCutOver(paused, now).kind).toBe('closed');
          expect(mayBegin(resumed, now)).toEqual(mayBegin(scene, now));
          expect(mayCutOver(resumed, now)).toEqual(mayCutOver(scene, now));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('changes nothing of who may write to an endpoint', () => {
    fc.assert(
      fc.property(
        anyRecord.endpoint,
        fc.constantFrom('pause' as const, 'resume' as const),
        (placement, kind) => {
          const ruling = rule(placement, { kind, by: by(1) });
          if (ruling.kind !== 'next') return;
          const { paused: _p, resumed: _r, ...rest } = ruling.placement;
          const { paused: _paused, resumed: _resumed, ...before } = placement;
          expect(rest).toEqual(before);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** The same, of which nobody has said anything yet. */
function quiet<P extends Pausable>(it: P): P {
  const copy = { ...it };
  for (const name of ['paused', 'resumed']) Reflect.deleteProperty(copy, name);
  return copy;
}

function withWords(scene: GateScene, which: number, words: readonly Word[]): GateScene {
  const state = after(words);
  switch (which) {
    case 0:
      return { ...scene, fleet: state };
    case 1:
      return scene.batch === undefined ? scene : { ...scene, batch: { ...scene.batch, ...state } };
    case 2:
      return { ...scene, hosts: scene.hosts.map((host) => ({ ...host, ...state })) };
    default:
      return scene.placement === undefined
        ? scene
        : { ...scene, placement: { ...scene.placement, ...state } };
  }
}
