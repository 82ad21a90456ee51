import { describe, expect, test } from '@jest/globals';
import type { ApiKeyUse } from '../../../server/api-keys/api-key-store.ts';
import { DependencyUnavailable } from '../../../server/dependency-unavailable.ts';
import type { UsageBatch } from '../../../server/usage/usage-store.ts';
import { createUseRecorder } from '../../../server/usage/use-recorder.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const HOUR = 3_600_000;

function setUp() {
  const clock = createFakeClock(1_000);
  const batches: (readonly ApiKeyUse[])[] = [];
  const sent: UsageBatch[] = [];
  const counted: UsageBatch[] = [];
  const errors: unknown[] = [];
  let isDown = false;
  let refusal: Error | null = null;
  const failIfDown = () => {
    if (isDown) throw new DependencyUnavailable('database', new Error('down'));
  };
  const recorder = createUseRecorder({
    apiKeys: {
      async recordUses(uses) {
        failIfDown();
        batches.push(uses);
      },
    },
    usage: {
      async add(batch) {
        sent.push(batch);
        failIfDown();
        if (refusal !== null) throw refusal;
        counted.push(batch);
      },
    },
    clock,
    onError: (error) => errors.push(error),
    // Only flush() writes here.
    flushMs: 1_000_000,
  });
  const setDown = (value: boolean): void => {
    isDown = value;
  };
  const setRefusal = (value: Error | null): void => {
    refusal = value;
  };
  const hours = () => counted.flatMap((batch) => batch.hours);
  return { clock, batches, sent, hours, errors, recorder, setDown, setRefusal };
}

describe('last use', () => {
  test('writes the newest use and denial of each key in one batch', async () => {
    const { clock, batches, recorder } = setUp();
    recorder.used('key_1', '10.0.0.1', 1, 'exchanges');
    clock.advance(5);
    recorder.used('key_1', null, null, 'refreshes');
    recorder.denied('key_1', 'ip_not_allowed');
    recorder.denied('key_2', 'api_key_expired');
    await recorder.flush();
    expect(batches).toEqual([
      [
        {
          keyId: 'key_1',
          usedAtMs: 1_005,
          usedIp: null,
          deniedAtMs: 1_005,
          deniedReason: 'ip_not_allowed',
          secretUses: [{ secretVersion: 1, usedAtMs: 1_000 }],
        },
        {
          keyId: 'key_2',
          usedAtMs: null,
          usedIp: null,
          deniedAtMs: 1_005,
          deniedReason: 'api_key_expired',
          secretUses: [],
        },
      ],
    ]);
  });

  test('writes nothing when there is nothing', async () => {
    const { batches, sent, recorder } = setUp();
    await recorder.flush();
    expect(batches).toEqual([]);
    expect(sent).toEqual([]);
  });

  test('keeps what could not be written, under what came since', async () => {
    const { clock, batches, errors, recorder, setDown } = setUp();
    setDown(true);
    recorder.used('key_1', '10.0.0.1', null, 'exchanges');
    recorder.denied('key_1', 'api_key_expired');
    await recorder.flush();
    expect(errors.length).toBeGreaterThan(0);
    setDown(false);
    clock.advance(7);
    recorder.used('key_1', '10.0.0.2', null, 'exchanges');
    await recorder.flush();
    expect(batches).toMatchObject([
      [{ keyId: 'key_1', usedAtMs: 1_007, usedIp: '10.0.0.2', deniedAtMs: 1_000, deniedReason: 'api_key_expired' }],
    ]);
  });
});

describe('counts', () => {
  test('are of a key and an hour', async () => {
    const { clock, hours, recorder } = setUp();
    recorder.used('key_1', null, null, 'exchanges');
    recorder.used('key_1', null, null, 'refreshes');
    recorder.used('key_2', null, null, 'exchanges');
    clock.advance(HOUR);
    recorder.used('key_1', null, null, 'exchanges');
    recorder.denied('key_1', 'api_key_expired');
    await recorder.flush();
    expect(hours()).toEqual([
      { keyId: 'key_1', hourAtMs: 0, exchanges: 1, refreshes: 1, denials: 0 },
      { keyId: 'key_2', hourAtMs: 0, exchanges: 1, refreshes: 0, denials: 0 },
      { keyId: 'key_1', hourAtMs: HOUR, exchanges: 1, refreshes: 0, denials: 1 },
    ]);
  });

  test('that could not be written are sent again as the same batch, and what came since as another', async () => {
    const { sent, hours, recorder, setDown } = setUp();
    setDown(true);
    recorder.used('key_1', null, null, 'exchanges');
    await recorder.flush();
    recorder.used('key_1', null, null, 'exchanges');
    await recorder.flush();
    setDown(false);
    await recorder.flush();
    const [first, second, third, last] = sent;
    expect([second, third]).toEqual([first, first]);
    expect(last?.id).not.toBe(first?.id);
    expect(hours().map(({ exchanges }) => exchanges)).toEqual([1, 1]);
    await recorder.flush();
    expect(sent).toHaveLength(4);
  });

  test('that the store refuses for good hold up nothing', async () => {
    const { hours, errors, recorder, setRefusal } = setUp();
    setRefusal(new Error('refused'));
    recorder.used('key_1', null, null, 'exchanges');
    await recorder.flush();
    expect(errors).toHaveLength(1);
    setRefusal(null);
    recorder.used('key_2', null, null, 'exchanges');
    await recorder.flush();
    expect(hours().map(({ keyId }) => keyId)).toEqual(['key_2']);
  });

  test('of a hundred thousand keys are kept while the store is down, and no more', async () => {
    const { hours, recorder } = setUp();
    for (let key = 0; key < 100_010; key += 1) recorder.used(`key_${key}`, null, null, 'exchanges');
    recorder.used('key_0', null, null, 'exchanges');
    await recorder.flush();
    expect(hours()).toHaveLength(100_000);
    expect(hours()[0]).toMatchObject({ keyId: 'key_0', exchanges: 2 });
  });
});
