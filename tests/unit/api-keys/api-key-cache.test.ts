import { describe, expect, test } from '@jest/globals';
import { createApiKeyCache } from '../../../server/api-keys/api-key-cache.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createHeldStore, HELD_FAILURE, keyOf, LOOKUPS, type Lookup, lookups, settle } from './held-api-key-store.ts';

const MINUTE_MS = 60_000;

function setUp({ maxKeys }: { maxKeys?: number } = {}) {
  const clock = createFakeClock(0);
  const store = createHeldStore({ nowMs: clock.nowMs });
  const { reader, forget } = createApiKeyCache({
    apiKeys: store.apiKeys,
    clock,
    ...(maxKeys !== undefined && { maxKeys }),
  });
  /** What a lookup finds, and how many reads it began; those are answered at once. */
  async function look(lookup: Lookup, name: string) {
    const readsBefore = store.readCount();
    const found = reader[lookup](name);
    for (const read of store.pending()) read.end();
    const key = await found;
    return { version: key?.secretVersion ?? null, id: key?.id ?? null, reads: store.readCount() - readsBefore };
  }
  return { clock, store, reader, forget, look };
}

describe.each(lookups)('a key looked up by %s', (lookup) => {
  const nameOf = LOOKUPS[lookup];
  const name = nameOf(keyOf('a'));
  const version = (secretVersion: number) => keyOf('a', { secretVersion });

  test('is read once, and the same object with the same rules from then on', async () => {
    const { store, reader, look } = setUp();
    store.put(version(1));
    expect(await look(lookup, name)).toMatchObject({ version: 1, reads: 1 });
    const [first, second] = [await reader[lookup](name), await reader[lookup](name)];
    expect(second).toBe(first);
    expect(second?.rules.permissionSet).toBe(first?.rules.permissionSet);
    expect(store.readCount()).toBe(1);
  });

  test('is found by its id without another read', async () => {
    const { store, look } = setUp();
    store.put(version(1));
    await look(lookup, name);
    expect(await look('findById', version(1).id)).toMatchObject({ version: 1, reads: 0 });
  });

  test('is read once for a hundred that ask at once', async () => {
    const { store, reader } = setUp();
    store.put(version(1));
    const asked = Array.from({ length: 100 }, () => reader[lookup](name));
    await settle();
    asked.push(reader[lookup](name));
    expect(store.readCount()).toBe(1);
    store.pending()[0]?.end();
    expect(new Set(await Promise.all(asked)).size).toBe(1);
    expect(store.readCount()).toBe(1);
  });

  test.each([
    ['the older read ends first', [0, 0]],
    ['the older read ends last', [1, 0]],
  ])('a read from before it was forgotten is not shared and installs nothing: %s', async (_, order) => {
    for (const [before, after] of [
      [version(1), version(2)],
      [version(1), null],
      [null, version(2)],
    ]) {
      const { store, reader, forget, look } = setUp();
      if (before) store.put(before);
      const early = reader[lookup](name);
      store.keys.clear();
      if (after) store.put(after);
      forget([version(1).id]);
      const late = reader[lookup](name);
      expect(store.readCount()).toBe(2);
      const sharing = [];
      for (const index of order) {
        store.pending()[index]?.end('beginning');
        await settle();
        sharing.push(reader[lookup](name));
      }
      expect(store.readCount()).toBe(2);
      expect((await early)?.secretVersion).toBe(before?.secretVersion);
      for (const found of [late, ...sharing]) expect((await found)?.secretVersion).toBe(after?.secretVersion);
      expect(await look(lookup, name)).toMatchObject({ version: after?.secretVersion ?? null, reads: 0 });
    }
  });

  test('is forgotten with all others, or alone', async () => {
    const { store, forget, look } = setUp();
    store.put(version(1));
    store.put(keyOf('b'));
    const other = nameOf(keyOf('b'));
    await look(lookup, name);
    await look(lookup, other);
    store.put(version(2));
    forget([version(1).id]);
    expect(await look(lookup, name)).toMatchObject({ version: 2, reads: 1 });
    expect(await look(lookup, other)).toMatchObject({ reads: 0 });
    store.put(version(3));
    forget(null);
    expect(await look(lookup, name)).toMatchObject({ version: 3, reads: 1 });
    expect(await look(lookup, other)).toMatchObject({ reads: 1 });
  });

  test('is forgotten with its project, and no other with it', async () => {
    const { store, forget, look } = setUp();
    store.put(keyOf('a', { projectId: 'prj_one' }));
    store.put(keyOf('b', { projectId: 'prj_two' }));
    const other = nameOf(keyOf('b'));
    await look(lookup, name);
    await look(lookup, other);
    forget(['prj_one']);
    expect(await look(lookup, name)).toMatchObject({ reads: 1 });
    expect(await look(lookup, other)).toMatchObject({ reads: 0 });
  });

  test('that was deleted is gone once it is forgotten, although its name is still known', async () => {
    const { store, forget, look } = setUp();
    store.put(version(1));
    await look(lookup, name);
    store.keys.clear();
    forget([version(1).id]);
    expect(await look(lookup, name)).toMatchObject({ version: null, reads: 1 });
  });

  test('is believed for a minute from when its read began, however often it is used', async () => {
    const { clock, store, reader, look } = setUp();
    store.put(version(1));
    const slow = reader[lookup](name);
    clock.advance(1_000);
    store.pending()[0]?.end();
    await slow;
    store.put(version(2));
    for (let elapsedMs = 1_000; elapsedMs < MINUTE_MS - 1_000; elapsedMs += 1_000) {
      expect(await look(lookup, name)).toMatchObject({ version: 1, reads: 0 });
      clock.advance(1_000);
    }
    clock.advance(999);
    expect(await look(lookup, name)).toMatchObject({ version: 1, reads: 0 });
    clock.advance(1);
    expect(await look(lookup, name)).toMatchObject({ version: 2, reads: 1 });
  });

  test('is not believed for longer when the database is out of reach', async () => {
    const { clock, store, reader, look } = setUp();
    store.put(version(1));
    await look(lookup, name);
    clock.advance(MINUTE_MS);
    const asked = reader[lookup](name);
    store.pending()[0]?.fail();
    await expect(asked).rejects.toBe(HELD_FAILURE);
  });

  test('whose read fails: all that shared it fail, nothing is remembered, and the next one asks again', async () => {
    const { store, reader, look } = setUp();
    store.put(version(1));
    const asked = [reader[lookup](name), reader[lookup](name)];
    store.pending()[0]?.fail();
    const outcomes = (await Promise.allSettled(asked)) as PromiseRejectedResult[];
    expect(outcomes.map(({ reason }) => reason)).toEqual([HELD_FAILURE, HELD_FAILURE]);
    expect(await look(lookup, name)).toMatchObject({ version: 1, reads: 1 });
  });

  test('that is nobody’s is asked for again after half a second, or once anything was forgotten', async () => {
    const { clock, store, reader, forget, look } = setUp();
    const slow = reader[lookup](name);
    clock.advance(100);
    store.pending()[0]?.end();
    expect(await slow).toBeNull();
    store.put(version(1));
    clock.advance(399);
    expect(await look(lookup, name)).toMatchObject({ version: null, reads: 0 });
    clock.advance(1);
    expect(await look(lookup, name)).toMatchObject({ version: 1, reads: 1 });

    const other = nameOf(keyOf('b'));
    expect(await look(lookup, other)).toMatchObject({ version: null, reads: 1 });
    store.put(keyOf('b'));
    forget([keyOf('c').id]);
    expect(await look(lookup, other)).toMatchObject({ version: 0, reads: 1 });
  });

  test('that is nobody’s is remembered for 10,000 names, the latest', async () => {
    const { look } = setUp();
    for (let index = 0; index <= 10_000; index += 1) await look(lookup, `nobody ${index}`);
    expect(await look(lookup, 'nobody 10000')).toMatchObject({ reads: 0 });
    expect(await look(lookup, 'nobody 1')).toMatchObject({ reads: 0 });
    expect(await look(lookup, 'nobody 0')).toMatchObject({ reads: 1 });
  });

  test('of a longer name than the database has room for is nobody’s, without a read', async () => {
    const { store, look } = setUp();
    const longName = 'x'.repeat(101);
    expect(await look(lookup, longName.slice(1))).toMatchObject({ reads: 1 });
    expect(await look(lookup, longName)).toMatchObject({ version: null, reads: 0 });
    expect(store.pending()).toHaveLength(0);
  });

  test('goes when others were used after it', async () => {
    const { store, look } = setUp({ maxKeys: 2 });
    for (const letter of ['a', 'b', 'c']) store.put(keyOf(letter));
    const [b, c] = [nameOf(keyOf('b')), nameOf(keyOf('c'))];
    for (const used of [name, b, name, c]) await look(lookup, used);
    expect(await look(lookup, name)).toMatchObject({ reads: 0 });
    expect(await look(lookup, c)).toMatchObject({ reads: 0 });
    expect(await look(lookup, b)).toMatchObject({ reads: 1 });
  });

  // Anybody may send anything as a client_id: what is somebody else's id or suffix too.
  test.each(lookups.filter((other) => other !== lookup))(
    'is neither found nor made unknown by whoever sends its name to %s',
    async (other) => {
      const { clock, store, look } = setUp();
      store.put(version(1));
      expect(await look(other, name)).toMatchObject({ id: null });
      expect(await look(lookup, name)).toMatchObject({ id: version(1).id });
      expect(await look(other, name)).toMatchObject({ id: null });
      clock.advance(MINUTE_MS);
      expect(await look(other, name)).toMatchObject({ id: null });
      expect(await look(lookup, name)).toMatchObject({ id: version(1).id, reads: 1 });
    },
  );
});

test('large keys count for more: those used longest ago go once they are 64 MiB by estimate', async () => {
  const { store, look } = setUp();
  const effectivePermissions = Array.from({ length: 100 }, (_, index) => `read:${String(index).padStart(250, 'x')}`);
  const ipAllowlist = Array.from({ length: 100 }, (_, index) => `203.0.113.${index}`);
  const ids = Array.from({ length: 1_000 }, (_, index) => `key_${index}`);
  for (const id of ids) store.put(keyOf('a', { id, effectivePermissions, ipAllowlist }));
  for (const id of ids) await look('findById', id);
  expect(await look('findById', 'key_999')).toMatchObject({ reads: 0 });
  expect(await look('findById', 'key_500')).toMatchObject({ reads: 0 });
  expect(await look('findById', 'key_0')).toMatchObject({ reads: 1 });
});
