import { describe, expect, test } from '@jest/globals';
import type { Move } from '../../shared/domain/move.ts';
import type { Arbitration } from '../../shared/domain/placement.ts';
import { StepFailure } from '../../shared/domain/failure.ts';
import { StoreUnavailable } from '../../shared/ports/failures.ts';
import { MoveBench } from '../support/move-bench.ts';
import type { HostCall } from '../support/noted-driver.ts';

const isAt =
  (step: string) =>
  ({ execution: { status } }: Move): boolean =>
    'step' in status && status.step === step && !('lease' in status);

/** Lets everything happen that needs no time. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

const trouble = new StepFailure({ code: 'trouble', sentence: 'it did not work', cure: 'try again' }, 'retry');

/** What the placement row said at each call to a host. */
function watch(bench: MoveBench): Map<HostCall, Arbitration['kind'][]> {
  const seen = new Map<HostCall, Arbitration['kind'][]>();
  bench.beforeCall = async (call) => {
    seen.set(call, [...(seen.get(call) ?? []), (await bench.placement()).arbitration.kind]);
  };
  return seen;
}

describe('a move', () => {
  test('fences, thaws, closes and opens only under what the placement row says', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const seen = watch(bench);
    const note = bench.beforeCall;
    let failures = 0;
    bench.beforeCall = async (call) => {
      await note(call);
      if (call !== 'settle' || failures > 0) return;
      failures += 1;
      throw trouble;
    };
    await bench.deliver(isAt('retire'));
    expect(seen.get('fence')).toEqual(['frozen', 'frozen']);
    expect(seen.get('unfence')).toEqual(['thawing']);
    expect(seen.get('settle')).toEqual(['frozen', 'frozen']);
    expect(seen.get('fenceForGood')).toEqual(['flipped']);
    expect(seen.get('open')).toEqual(['opening']);
    expect(await bench.placement()).toMatchObject({ host: 'b', epoch: 2, arbitration: { kind: 'serving' } });
  });

  test('goes on where a worker died that had shown how far it had come', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const shown = { bytes: 10, totalBytes: 20 };
    let hasDied = false;
    bench.beforeCall = async (call) => {
      if (call !== 'copy' || hasDied) return;
      hasDied = true;
      bench.jobs.at(-1)?.show(shown);
      bench.clock.pass(15_000);
      await turns();
      throw new StoreUnavailable('the worker is no more');
    };
    await expect(bench.deliver(isAt('retire'))).rejects.toThrow(StoreUnavailable);
    expect((await bench.move()).execution.status).toMatchObject({ step: 'copy', progress: { value: shown } });
    await bench.deliver(isAt('retire'));
    expect(bench.calls.filter((call) => call === 'copy')).toHaveLength(1);
    expect(await bench.placement()).toMatchObject({ host: 'b' });
  });

  test('closes the source for good before the target is opened', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.deliver(isAt('retire'));
    expect(bench.calls.filter((call) => call === 'fenceForGood' || call === 'open')).toEqual([
      'fenceForGood',
      'open',
    ]);
  });

  test('opens a frozen source only when the table has said so: not while it does not answer', async () => {
    const bench = new MoveBench();
    await bench.begin();
    let silent = false;
    bench.table.fault = ({ operation, key }) =>
      silent && operation === 'write' && key?.sk === 'ENDPOINT' ? 'lost-request' : 'none';
    bench.beforeCall = (call) => {
      if (call !== 'settle') return;
      silent = true;
      throw trouble;
    };
    for (let turns = 0; turns < 20; turns += 1) {
      const before = (await bench.move()).version;
      await bench.deliver(({ version }) => version > before);
    }
    expect(silent).toBe(true);
    expect(bench.calls).not.toContain('unfence');
    expect((await bench.placement()).arbitration.kind).toBe('frozen');
    silent = false;
    bench.beforeCall = () => undefined;
    await bench.deliver(isAt('retire'));
    expect(bench.calls).toContain('unfence');
    expect(await bench.placement()).toMatchObject({ host: 'b', arbitration: { kind: 'serving' } });
  });

  test('compares both sides anew when the last comparison is too old to flip on', async () => {
    const bench = new MoveBench();
    await bench.begin();
    await bench.deliver(isAt('freeze'));
    bench.clock.pass(bench.services.settings.freshMs + 1);
    await bench.deliver(isAt('retire'));
    expect(bench.calls.filter((call) => call === 'verify' || call === 'fence')).toEqual([
      'verify',
      'verify',
      'fence',
    ]);
  });

  test('puts off a freeze that is predicted to take longer than its budget, and says so', async () => {
    const bench = new MoveBench();
    // A client's last write arrives there no sooner than in a minute.
    await bench.begin({ options: { lagMs: 60_000 } });
    bench.beforeCall = (call) => {
      if (call !== 'predictPause') return;
      bench.network.write('a', { database: 'shop', writer: 'first', seq: 6 }, bench.clock.now());
    };
    await bench.deliver(({ execution: { status } }) => 'waiting' in status);
    expect((await bench.move()).execution.status).toMatchObject({
      step: 'freeze',
      waiting: { code: 'pause-over-budget' },
    });
    expect(bench.calls).not.toContain('fence');
    expect((await bench.placement()).arbitration.kind).toBe('serving');
  });

  test('puts off a freeze whose own row took too long to write: the flip would take as long', async () => {
    const bench = new MoveBench();
    await bench.begin();
    let freezes = 0;
    bench.table.onChange = ({ after }) => {
      const arbitration: unknown = after?.['arbitration'];
      const isFrozen = typeof arbitration === 'object' && arbitration !== null && 'kind' in arbitration;
      if (!isFrozen || arbitration.kind !== 'frozen') return;
      freezes += 1;
      if (freezes === 1) bench.clock.pass(bench.services.settings.slowStoreMs + 1);
    };
    await bench.deliver(isAt('retire'));
    expect(bench.calls.filter((call) => call === 'unfence' || call === 'fence')).toEqual([
      'unfence',
      'fence',
    ]);
  });

  test('takes a flip back when the source cannot be closed for good, and the source serves', async () => {
    const bench = new MoveBench();
    await bench.begin();
    const failed: string[] = [];
    bench.beforeCall = (call) => {
      if (call !== 'fenceForGood' || failed.length > 0) return;
      failed.push(call);
      throw trouble;
    };
    await bench.deliver(() => failed.length > 0);
    await bench.deliver(
      ({ execution: { status } }) => status.state === 'running' && status.step === 'freeze',
    );
    expect(await bench.placement()).toMatchObject({ host: 'a', epoch: 3, arbitration: { kind: 'serving' } });
    await bench.deliver(isAt('retire'));
    expect(await bench.placement()).toMatchObject({ host: 'b', epoch: 4 });
  });
});
