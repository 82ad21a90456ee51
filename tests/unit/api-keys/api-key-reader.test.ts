import { describe, expect, jest, test } from '@jest/globals';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { createApiKeyReader } from '../../../server/api-keys/api-key-reader.ts';
import type { ApiKeyStore } from '../../../server/api-keys/api-key-store.ts';

/** A store whose reads end when the test says so. */
function setUp() {
  const reads: { id: string; answer(key: Partial<ApiKeyForExchange>): void; fail(error: Error): void }[] = [];
  const findById = (id: string) =>
    new Promise<ApiKeyForExchange>((resolve, reject) => {
      reads.push({ id, answer: (key) => resolve(key as ApiKeyForExchange), fail: reject });
    });
  const reader = createApiKeyReader({ findById } as ApiKeyStore);
  return { reads, reader };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('API key reader', () => {
  test('reads at once when nothing is under way', async () => {
    const { reads, reader } = setUp();
    const found = reader.findById('key_1');
    reads[0]?.answer({ id: 'key_1' });
    expect(await found).toEqual({ id: 'key_1' });
    expect(reads).toHaveLength(1);
  });

  test('of many that ask while a read is under way gives all one later read', async () => {
    const { reads, reader } = setUp();
    const first = reader.findById('key_1');
    const later = Array.from({ length: 1000 }, () => reader.findById('key_1'));
    expect(reads).toHaveLength(1);
    reads[0]?.answer({ isValid: true });
    await settle();
    expect(reads).toHaveLength(2);
    reads[1]?.answer({ isValid: false });
    expect(await first).toEqual({ isValid: true });
    // Whoever asked after the first read had begun may have asked after a revocation that it did not see.
    expect(new Set(await Promise.all(later))).toEqual(new Set([{ isValid: false }]));
  });

  test('goes on reading anew for those that ask still later', async () => {
    const { reads, reader } = setUp();
    for (let round = 0; round < 3; round += 1) {
      const found = [reader.findById('key_1'), reader.findById('key_1')];
      reads[round * 2]?.answer({ hint: `${round}a` });
      await settle();
      reads[round * 2 + 1]?.answer({ hint: `${round}b` });
      expect(await Promise.all(found)).toEqual([{ hint: `${round}a` }, { hint: `${round}b` }]);
    }
    expect(reads).toHaveLength(6);
  });

  test('keeps the keys apart', async () => {
    const { reads, reader } = setUp();
    void reader.findById('key_1');
    void reader.findById('key_2');
    expect(reads.map(({ id }) => id)).toEqual(['key_1', 'key_2']);
  });

  test('that fails, fails whoever asked for it, and those that wait get a read of their own', async () => {
    const { reads, reader } = setUp();
    const first = reader.findById('key_1');
    const later = [reader.findById('key_1'), reader.findById('key_1')];
    reads[0]?.fail(new Error('a connection that had died'));
    await expect(first).rejects.toThrow('had died');
    await settle();
    reads[1]?.answer({ id: 'key_1' });
    expect(await Promise.all(later)).toEqual([{ id: 'key_1' }, { id: 'key_1' }]);
  });

  test('does not let anybody wait long behind a read that hangs', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const { reads, reader } = setUp();
      void reader.findById('key_1');
      const later = reader.findById('key_1');
      await jest.advanceTimersByTimeAsync(50);
      expect(reads).toHaveLength(2);
      reads[1]?.answer({ id: 'key_1' });
      expect(await later).toEqual({ id: 'key_1' });
    } finally {
      jest.useRealTimers();
    }
  });
});
