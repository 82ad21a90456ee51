import { describe, expect, test } from '@jest/globals';
import type { ApiKey } from '../../../server/api-keys/api-key.ts';
import { forgettingChanges } from '../../../server/api-keys/api-key-cache.ts';
import type { ApiKeyStore } from '../../../server/api-keys/api-key-store.ts';
import type { AuditEvent } from '../../../server/audit/audit-event.ts';
import type { PageRequest } from '../../../server/page.ts';

const key = { id: 'key_1' } as ApiKey;
const event = { id: 'evt_1' } as AuditEvent;
const decide = (current: ApiKey) => ({ object: current, event });
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

const firstOnly = { limit: 1 } as PageRequest<'created_at'>;
type Call = [string, (apiKeys: ApiKeyStore) => Promise<unknown>];

const WRITES: Call[] = [
  ['insert [{"id":"key_1"},{"id":"evt_1"}]', (apiKeys) => apiKeys.insert(key, event)],
  ['insertAll [[{"id":"key_1"}],[{"id":"evt_1"}]]', (apiKeys) => apiKeys.insertAll([key], [event])],
  ['update ["prj_1","key_1",null]', (apiKeys) => apiKeys.update('prj_1', 'key_1', decide)],
  ['delete ["prj_1",["key_1"],null]', (apiKeys) => apiKeys.delete('prj_1', ['key_1'], () => event)],
];
const OTHERS: Call[] = [
  ['findById ["a"]', (apiKeys) => apiKeys.findById('a')],
  ['findByClientId ["a"]', (apiKeys) => apiKeys.findByClientId('a')],
  ['findByClientIdSuffix ["a"]', (apiKeys) => apiKeys.findByClientIdSuffix('a')],
  ['findInProject ["prj_1","a"]', (apiKeys) => apiKeys.findInProject('prj_1', 'a')],
  ['findPermissionSet ["a"]', (apiKeys) => apiKeys.findPermissionSet('a')],
  ['list ["prj_1",{},{"limit":1}]', (apiKeys) => apiKeys.list('prj_1', {}, firstOnly)],
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
