import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { metrics } from '../../shared/ports/meter.ts';
import { createMeter } from '../../shared/runtime/meter.ts';
import { readDocument } from '../support/markdown.ts';

let said: string[] = [];
beforeEach(() => {
  said = [];
  const hear = (text: unknown): boolean => {
    said.push(...String(text).split('\n').filter(Boolean));
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(hear);
  jest.spyOn(process.stderr, 'write').mockImplementation(hear);
  jest.spyOn(console, 'log').mockImplementation(hear);
  jest.spyOn(console, 'warn').mockImplementation(hear);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** What was written since the last look: each series, and its figures. */
function written(): unknown[] {
  return said.splice(0).flatMap((line) => {
    const found = figuresIn(line);
    if (found.length === 0) throw new Error(`no figures: ${line}`);
    return found.map(({ name: { metric, dimensions }, unit, values }) => {
      const { service, stage, ...of } = dimensions;
      return [metric, unit, of, values, [service, stage]];
    });
  });
}

const whose = ['drayage', 'test'];

describe('the meter of a function', () => {
  let now = Date.now();
  const clock = { now: () => now };

  test('writes when the invocation ends, one line for all figures of the same', () => {
    const meter = createMeter('test', clock);
    meter.note('StepMs', 5, { step: 'copy', outcome: 'done' });
    meter.note('MovesWaiting', 3);
    meter.note('StepMs', 7, { step: 'copy', outcome: 'done' });
    meter.note('MovesAdmitted', 1);
    expect(said).toEqual([]);
    meter.flush();
    expect(said).toHaveLength(2);
    expect(written()).toEqual([
      ['StepMs', 'Milliseconds', { step: 'copy', outcome: 'done' }, [5, 7], whose],
      ['MovesWaiting', 'Count', {}, [3], whose],
      ['MovesAdmitted', 'Count', {}, [1], whose],
    ]);
    meter.flush();
    expect(said).toEqual([]);
  });

  test('counts a figure in each series that it is of, in one line', () => {
    const meter = createMeter('test', clock);
    meter.note('RetainedWalBytes', 4_096, { host: 'a' }, {});
    meter.flush();
    expect(said).toHaveLength(1);
    expect(written()).toEqual([
      ['RetainedWalBytes', 'Bytes', { host: 'a' }, [4_096], whose],
      ['RetainedWalBytes', 'Bytes', {}, [4_096], whose],
    ]);
  });

  test('holds nothing back for longer than alarms may wait, once the next figure comes', () => {
    const meter = createMeter('test', clock);
    meter.note('ReplicationLagMs', 1, { host: 'a' });
    now += 4_999;
    meter.note('ReplicationLagMs', 2, { host: 'a' });
    expect(said).toEqual([]);
    now += 1;
    meter.note('ReplicationLagMs', 3, { host: 'a' });
    expect(written()).toEqual([['ReplicationLagMs', 'Milliseconds', { host: 'a' }, [1, 2], whose]]);
    meter.flush();
    expect(written()).toEqual([['ReplicationLagMs', 'Milliseconds', { host: 'a' }, [3], whose]]);
  });

  test('takes no figure that is none', () => {
    const meter = createMeter('test', clock);
    meter.note('QueueWaitMs', Number.NaN, { phase: 'transfer' });
    meter.note('QueueWaitMs', Infinity, { phase: 'transfer' });
    meter.flush();
    expect(said).toEqual([]);
  });

  test('loses none of many', () => {
    const meter = createMeter('test', clock);
    for (let nth = 0; nth < 250; nth += 1) meter.note('TakeOvers', nth, { phase: 'transfer' }, {});
    meter.flush();
    const lines = said.splice(0).flatMap((line) => figuresIn(line));
    const values = lines.filter(({ isAgain }) => !isAgain).flatMap((line) => line.values);
    expect(values).toEqual(Array.from({ length: 250 }, (_, nth) => nth));
    for (const line of lines) expect(line.values.length).toBeLessThanOrEqual(100);
  });
});

test.each(Object.entries(metrics))('docs/metrics.md says what %s is', (name, { says }) => {
  const row = readDocument('docs/metrics.md')
    .split('\n')
    .find((line) => line.startsWith(`| \`${name}\``));
  expect(row).toContain(says);
});
