import fc, { type Arbitrary } from 'fast-check';
import { endpointName, hostName } from '../../shared/domain/ids.ts';
import type { RecordKind, Records } from '../../shared/ports/store.ts';
import { anyRecord } from './arbitraries.ts';

let count = 0;

const named: { readonly [K in RecordKind]: (record: Records[K]) => Records[K] } = {
  host: (host) => ({ ...host, name: hostName(`sample-${String(count)}`) }),
  endpoint: (placement) => ({ ...placement, endpoint: endpointName(`sample-${String(count)}`) }),
  batch: (batch) => batch,
  move: (move) => move,
  request: (request) => ({ ...request, id: `sample-${String(count)}` }),
  cleanup: (cleanup) => cleanup,
  letter: (letter) => ({ ...letter, message: `sample-${String(count)}` }),
  fleet: (fleet) => fleet,
  news: (notification) => ({ ...notification, id: `sample-${String(count)}` }),
  pace: (pace) => pace,
  scaler: (scaler) => ({ ...scaler, target: `zone/sample-${String(count)}` }),
};

/** A record of a kind like no other before it: of version 1, and with a key of its own. */
export function sample<K extends RecordKind>(kind: K): Records[K] {
  return { ...named[kind](sampleOf(anyRecord[kind])), version: 1 };
}

/** Something, another one each time; the same ones in every run. */
export function sampleOf<T>(arbitrary: Arbitrary<T>): T {
  count += 1;
  const [one] = fc.sample(arbitrary, { numRuns: 1, seed: count });
  if (one === undefined) throw new RangeError('an arbitrary gave nothing');
  return one;
}
