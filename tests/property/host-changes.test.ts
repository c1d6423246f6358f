import { expect, test } from '@jest/globals';
import fc, { type Arbitrary } from 'fast-check';
import { parseHostChange } from '../../shared/contracts/events/host-changes.ts';
import { hostName } from '../../shared/domain/ids.ts';
import { reactToHostChange } from '../../shared/workflow/requests/react-to-host-change.ts';
import { alarmNotification } from '../support/cloudwatch.ts';
import { MoveBench } from '../support/move-bench.ts';
import { began } from '../support/sample-batch.ts';

/** Few moments, so that words often meet; with the time of the event as many as a signal remembers. */
const moment = fc.nat({ max: 6 }).map((second) => new Date(began - 60_000 + second * 1_000));
const name = fc.constantFrom('disk', 'fan', 'reported');

type Made = (nth: number) => object;

const word: Arbitrary<Made> = fc
  .tuple(
    fc.constantFrom('host.failed', 'host.recovered'),
    fc.record(
      { at: moment, signal: name, reason: fc.constantFrom('one', 'other') },
      { requiredKeys: ['at', 'signal'] },
    ),
  )
  .map(
    ([type, { at, ...rest }]) =>
      (nth) =>
        event(nth, type, { at: at.toISOString(), ...rest }),
  );

const alarm: Arbitrary<Made> = fc
  .tuple(moment, fc.constantFrom('ALARM', 'OK', 'INSUFFICIENT_DATA'), fc.constantFrom('x-failed', 'x-slow'))
  .map(
    ([at, NewStateValue, AlarmName]) =>
      () =>
        alarmNotification({
          AlarmName,
          NewStateValue,
          // CloudWatch says one thing of one moment.
          AlarmArn: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${AlarmName}-${NewStateValue}`,
          StateChangeTime: at.toISOString().replace('Z', '+0000'),
          Trigger: { Dimensions: [{ name: 'Host', value: 'a' }] },
        }),
  );

/** Those of one publisher: each has a sequence of its own. */
const intent: Arbitrary<Made> = fc
  .constantFrom('host.cordoned', 'host.uncordoned', 'host.draining', 'host.removed')
  .map((type) => (nth) => event(nth, type, { reason: type, sequence: nth + 1 }));

const profile: Arbitrary<Made> = fc
  .record(
    {
      zone: fc.constantFrom('z1', 'z2'),
      capacityBytes: fc.integer({ min: 1, max: 9 }),
      labels: fc.constantFrom({}, { rack: '1' }, { rack: '2', row: 'x' }),
      clientAddress: fc.constantFrom('a:1', 'b:2'),
    },
    { requiredKeys: [] },
  )
  .map((parts) => (nth) => event(nth, 'host.changed', { zone: 'z', ...parts, sequence: nth + 1 }));

function event(nth: number, type: string, data: object): object {
  return { specversion: '1.0', id: String(nth), source: '/ops', type, data: { host: 'a', ...data } };
}

const history = fc
  .array(fc.oneof(word, word, alarm, intent, profile), { minLength: 2, maxLength: 14 })
  .map((made) => made.map((make, nth) => JSON.stringify(make(nth))));

/** The same events in any order, some of them more than once. */
const retold = history.chain((texts) =>
  fc
    .tuple(
      fc.constant(texts),
      fc.shuffledSubarray(texts, { minLength: texts.length, maxLength: texts.length }),
      fc.array(fc.constantFrom(...texts), { maxLength: 6 }),
      fc.array(fc.nat({ max: 20 }), { minLength: 6, maxLength: 6 }),
    )
    .map(([told, order, repeats, places]) => {
      const again = [...order];
      for (const [index, text] of repeats.entries())
        again.splice((places[index] ?? 0) % again.length, 0, text);
      return { told, again };
    }),
);

async function rowAfter(texts: readonly string[]): Promise<unknown> {
  const bench = new MoveBench();
  await bench.addHost('a');
  for (const text of texts) await reactToHostChange(bench.services, parseHostChange(text, began));
  const { version: _, ...host } = (await bench.services.store.load('host', { name: hostName('a') })) ?? {
    version: 0,
  };
  return host;
}

test('events about a host make the same row in whichever order, and however often, they arrive', async () => {
  await fc.assert(
    fc.asyncProperty(retold, async ({ told, again }) => {
      expect(await rowAfter(again)).toEqual(await rowAfter(told));
    }),
    { numRuns: 100 },
  );
}, 60_000);
