import { describe, expect, test } from '@jest/globals';
import type { ApiKey } from '../../../server/api-keys/api-key.ts';
import { forgettingChanges } from '../../../server/api-keys/api-key-cache.ts';
import type { ApiKeyStore } from '../../../server/api-keys/api-key-store.ts';

const key = { id: 'key_1' } as ApiKey;
const failure = new Error('no answer in time');

/** A store that answers every call with `answer`, and what it was asked and told to forget, in order. */
function setUp(answer: () => Promise<unknown>) {
  const happened: string[] = [];
  const store = new Proxy({} as ApiKeyStore, {
    get:
      (_, method: string) =>
      async (...args: unknown[]) => {
        happened.push(`${method} ${JSON.stringify(args)}`);
        await new Promise((resolve) => setImmediate(resolve));
        happened.push('ended');
        return answer();
      },
  });
  const forget = (ids: readonly string[] | null) => void happened.push(`forget ${ids}`);
  return { apiKeys: forgettingChanges(store, { forget }), happened };
}

type Call = [string, (apiKeys: ApiKeyStore) => Promise<unknown>];

const WRITES: Call[] = [
  ['insert [{"id":"key_1"}]', (apiKeys) => apiKeys.insert(key)],
  ['setValidity ["prj_1","key_1",false,5]', (apiKeys) => apiKeys.setValidity('prj_1', 'key_1', false, 5)],
  ['delete ["prj_1","key_1"]', (apiKeys) => apiKeys.delete('prj_1', 'key_1')],
];
const OTHERS: Call[] = [
  ['findById ["a"]', (apiKeys) => apiKeys.findById('a')],
  ['findByClientId ["a"]', (apiKeys) => apiKeys.findByClientId('a')],
  ['findByClientIdSuffix ["a"]', (apiKeys) => apiKeys.findByClientIdSuffix('a')],
  ['findInProject ["prj_1","a"]', (apiKeys) => apiKeys.findInProject('prj_1', 'a')],
  ['findPermissionSet ["a"]', (apiKeys) => apiKeys.findPermissionSet('a')],
  ['list ["prj_1",{"limit":1,"afterId":null}]', (apiKeys) => apiKeys.list('prj_1', { limit: 1, afterId: null })],
  ['recordUses [[]]', (apiKeys) => apiKeys.recordUses([])],
];

describe('a store whose changes are forgotten', () => {
  test.each(WRITES)('forgets once %s has ended, and gives back its result', async (asked, call) => {
    const result = { some: 'result' };
    const { apiKeys, happened } = setUp(async () => result);
    expect(await call(apiKeys)).toBe(result);
    expect(happened).toEqual([asked, 'ended', 'forget key_1']);
  });

  test.each(WRITES)('forgets also when %s fails: it may have been written all the same', async (asked, call) => {
    const { apiKeys, happened } = setUp(() => Promise.reject(failure));
    await expect(call(apiKeys)).rejects.toBe(failure);
    expect(happened).toEqual([asked, 'ended', 'forget key_1']);
  });

  test.each(OTHERS)('forgets nothing for %s', async (asked, call) => {
    const result = { some: 'result' };
    const { apiKeys, happened } = setUp(async () => result);
    expect(await call(apiKeys)).toBe(result);
    expect(happened).toEqual([asked, 'ended']);
  });
});
