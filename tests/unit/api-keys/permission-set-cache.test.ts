import { expect, test } from '@jest/globals';
import { createApiKeyCache } from '../../../server/api-keys/api-key-cache.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createHeldStore, HELD_FAILURE } from './held-api-key-store.ts';

function setUp() {
  const clock = createFakeClock();
  const store = createHeldStore();
  const { reader, forget } = createApiKeyCache({ apiKeys: store.apiKeys, clock });
  async function look(digest: string) {
    const readsBefore = store.readCount();
    const found = reader.findPermissionSet(digest);
    store.pending()[0]?.end();
    return { found: await found, reads: store.readCount() - readsBefore };
  }
  return { clock, store, reader, forget, look };
}

test('a permission set, named by its content, is read once, whatever is forgotten since', async () => {
  const { clock, store, forget, look } = setUp();
  store.permissionSets.set('digest', ['read:a']);
  expect(await look('digest')).toEqual({ found: ['read:a'], reads: 1 });
  clock.advance(86_400_000);
  forget(null);
  expect(await look('digest')).toEqual({ found: ['read:a'], reads: 0 });
});

test('one that is not there is asked for again', async () => {
  const { store, look } = setUp();
  expect(await look('digest')).toEqual({ found: null, reads: 1 });
  store.permissionSets.set('digest', []);
  expect(await look('digest')).toEqual({ found: [], reads: 1 });
  expect(await look('digest')).toEqual({ found: [], reads: 0 });
});

test('a read that fails is not remembered', async () => {
  const { store, reader, look } = setUp();
  store.permissionSets.set('digest', ['read:a']);
  const asked = reader.findPermissionSet('digest');
  store.pending()[0]?.fail();
  await expect(asked).rejects.toBe(HELD_FAILURE);
  expect(await look('digest')).toEqual({ found: ['read:a'], reads: 1 });
});

test('the thousand that were used last are remembered', async () => {
  const { store, look } = setUp();
  for (let index = 0; index <= 1_000; index += 1) {
    store.permissionSets.set(`digest ${index}`, []);
    await look(`digest ${index}`);
  }
  expect(await look('digest 1000')).toMatchObject({ reads: 0 });
  expect(await look('digest 1')).toMatchObject({ reads: 0 });
  expect(await look('digest 0')).toMatchObject({ reads: 1 });
});
