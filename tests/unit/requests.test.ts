import { describe, expect, test } from '@jest/globals';
import type { EventHead } from '../../shared/domain/event.ts';
import { batchOf } from '../support/sample-batch.ts';
import { recordRequest, Refused } from '../../shared/workflow/requests/record-request.ts';
import { MoveBench } from '../support/move-bench.ts';

const head: EventHead = { source: 'ops', id: 'drain-7', type: 'move-batch', bodyHash: 'a'.repeat(64) };
const refusal = { code: 'host-unknown', sentence: 'there is no host x', cure: 'add it', field: 'data.host' };

describe('a request', () => {
  test('is carried out once, however often it arrives', async () => {
    const { services } = new MoveBench();
    let carried = 0;
    const carryOut = () => {
      carried += 1;
      return Promise.resolve({ batch: batchOf().id });
    };
    for (let times = 0; times < 3; times += 1) await recordRequest(services, head, carryOut);
    expect(carried).toBe(1);
    expect(await services.store.load('request', head)).toMatchObject({
      outcome: { kind: 'accepted', batch: batchOf().id },
    });
  });

  test('is carried out again when an earlier delivery died in it', async () => {
    const { services } = new MoveBench();
    await expect(recordRequest(services, head, () => Promise.reject(new Error('killed')))).rejects.toThrow(
      'killed',
    );
    await recordRequest(services, head, () => Promise.resolve({ batch: batchOf().id }));
    expect(await services.store.load('request', head)).toMatchObject({ outcome: { kind: 'accepted' } });
  });

  test('whose id was used for another body is refused, and changes nothing of the first', async () => {
    const { services } = new MoveBench();
    await recordRequest(services, head, () => Promise.resolve({ batch: batchOf().id }));
    const first = await services.store.load('request', head);
    let carried = false;
    const other = { ...head, bodyHash: 'b'.repeat(64) };
    await recordRequest(services, other, () => {
      carried = true;
      return Promise.resolve({});
    });
    expect(carried).toBe(false);
    expect(await services.store.load('request', head)).toEqual(first);
    expect(
      await services.store.load('request', { source: 'ops', id: 'drain-7 ~bbbbbbbbbbbb' }),
    ).toMatchObject({
      outcome: { kind: 'refused', failure: { code: 'request-id-reused' }, field: 'id' },
    });
  });

  test('that is refused ends with its reason, and so it stays', async () => {
    const { services } = new MoveBench();
    await recordRequest(services, head, () => Promise.reject(new Refused(refusal)));
    await recordRequest(services, head, () => Promise.resolve({ batch: batchOf().id }));
    expect(await services.store.load('request', head)).toMatchObject({
      outcome: { kind: 'refused', failure: { code: 'host-unknown', cure: 'add it' }, field: 'data.host' },
    });
  });
});
