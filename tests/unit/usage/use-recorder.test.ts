import { describe, expect, test } from '@jest/globals';
import type { ApiKeyUse } from '../../../server/api-keys/api-key-store.ts';
import { createUseRecorder } from '../../../server/usage/use-recorder.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = createFakeClock(1_000);
  const batches: (readonly ApiKeyUse[])[] = [];
  const errors: unknown[] = [];
  let isDown = false;
  const recorder = createUseRecorder({
    apiKeys: {
      async recordUses(uses) {
        if (isDown) throw new Error('down');
        batches.push(uses);
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
  return { clock, batches, errors, recorder, setDown };
}

describe('use recorder', () => {
  test('writes the newest use and denial of each key in one batch', async () => {
    const { clock, batches, recorder } = setUp();
    recorder.used('key_1', '10.0.0.1');
    clock.advance(5);
    recorder.used('key_1', null);
    recorder.denied('key_1', 'ip_not_allowed');
    recorder.denied('key_2', 'api_key_expired');
    await recorder.flush();
    expect(batches).toEqual([
      [
        { keyId: 'key_1', usedAtMs: 1_005, usedIp: null, deniedAtMs: 1_005, deniedReason: 'ip_not_allowed' },
        { keyId: 'key_2', usedAtMs: null, usedIp: null, deniedAtMs: 1_005, deniedReason: 'api_key_expired' },
      ],
    ]);
  });

  test('writes nothing when there is nothing', async () => {
    const { batches, recorder } = setUp();
    await recorder.flush();
    expect(batches).toEqual([]);
  });

  test('keeps what could not be written, under what came since', async () => {
    const { clock, batches, errors, recorder, setDown } = setUp();
    setDown(true);
    recorder.used('key_1', '10.0.0.1');
    recorder.denied('key_1', 'api_key_expired');
    await recorder.flush();
    expect(errors).toHaveLength(1);
    setDown(false);
    clock.advance(7);
    recorder.used('key_1', '10.0.0.2');
    await recorder.flush();
    expect(batches).toEqual([
      [{ keyId: 'key_1', usedAtMs: 1_007, usedIp: '10.0.0.2', deniedAtMs: 1_000, deniedReason: 'api_key_expired' }],
    ]);
  });
});
