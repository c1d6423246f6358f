import { describe, expect, test } from '@jest/globals';
import {
  dispatchMessage,
  hostSweepMessage,
  planMessage,
  workMessage,
  writeMessage,
} from '../../shared/contracts/messages.ts';
import { batchId, hostName } from '../../shared/domain/ids.ts';

const batch = batchId(`bt_${'0'.repeat(20)}`);

describe('messages between functions', () => {
  test.each([
    ['work', workMessage, { kind: 'work', task: 'mv_0123456789abcdef', phase: 'transfer' }],
    [
      'dead-man',
      workMessage,
      { kind: 'dead-man', task: 'mv_0123456789abcdef', phase: 'cutover', token: 1_000_003 },
    ],
    ['plan', planMessage, { batch }],
    ['dispatch for a batch', dispatchMessage, { batch }],
    ['dispatch', dispatchMessage, {}],
    ['host sweep', hostSweepMessage, { host: hostName('db1') }],
  ])('a %s message is read as it was written, in a few hundred bytes', (_name, schema, message) => {
    const text = writeMessage(message);
    expect(schema.parse(JSON.parse(text))).toEqual(message);
    expect(Buffer.byteLength(text)).toBeLessThan(300);
  });

  test('of a newer release are read without the fields that only that one knows', () => {
    const work = { kind: 'work', task: 'mv_1', phase: 'transfer' };
    expect(workMessage.parse({ v: 1, ...work, trace: 'aa-1' })).toEqual(work);
    expect(planMessage.parse({ v: 1, batch, trace: 'aa-1' })).toEqual({ batch });
    expect(dispatchMessage.parse({ v: 1, trace: 'aa-1' })).toEqual({});
    expect(hostSweepMessage.parse({ v: 1, host: 'db1', trace: 'aa-1' })).toEqual({ host: 'db1' });
  });

  test.each([
    [workMessage, { v: 2, kind: 'work', task: 'mv_1', phase: 'transfer' }],
    [workMessage, { v: 1, kind: 'rest', task: 'mv_1', phase: 'transfer' }],
    [planMessage, { v: 1, batch: 'bt_1' }],
    [hostSweepMessage, { v: 1, host: '' }],
  ])('what is not of this form is not read', (schema, message) => {
    expect(schema.safeParse(message).success).toBe(false);
  });
});
