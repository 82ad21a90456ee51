import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createChangeFollower } from '../../../server/changes/change-follower.ts';

const POLL_MS = 250;
const failure = new Error('the database is out of reach');

/** A list of changes in memory, a follower of it, and what that was told. */
function setUp({ latest = 0 } = {}) {
  const changed: string[] = Array.from({ length: latest }, (_, index) => `key_${index + 1}`);
  const store = {
    fails: null as 'latest' | 'changedObjects' | null,
    isUnknown: false,
    /** When there, an answer waits for it. */
    gate: null as Promise<void> | null,
    asked: [] as string[],
    atOnce: 0,
    mostAtOnce: 0,
  };
  async function answer<T>(question: string, method: 'latest' | 'changedObjects', give: () => T): Promise<T> {
    store.asked.push(question);
    store.atOnce += 1;
    store.mostAtOnce = Math.max(store.mostAtOnce, store.atOnce);
    try {
      await store.gate;
      if (store.fails === method) throw failure;
      return give();
    } finally {
      store.atOnce -= 1;
    }
  }
  const told: (readonly string[] | null)[] = [];
  const errors: unknown[] = [];
  const follower = createChangeFollower({
    changes: {
      latest: () => answer('latest', 'latest', () => changed.length),
      changedObjects: (after, upTo) =>
        answer(`${after} to ${upTo}`, 'changedObjects', () => (store.isUnknown ? null : changed.slice(after, upTo))),
    },
    onChanged: (ids) => void told.push(ids),
    onError: (error) => void errors.push(error),
  });
  /** Lets so many polls pass and returns what was told meanwhile. */
  async function afterPolls(polls: number) {
    await jest.advanceTimersByTimeAsync(polls * POLL_MS);
    return told.splice(0);
  }
  return { follower, store, changed, errors, afterPolls };
}

/** Started, and the first poll over. */
async function setUpFollowing(options: { latest?: number } = {}) {
  const following = setUp(options);
  following.follower.start();
  await following.afterPolls(0);
  return following;
}

describe('a follower of changes', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  test.each([0, 1, 5000])('forgets everything at its first poll, when the newest change is %d', async (latest) => {
    const { follower, store, afterPolls } = setUp({ latest });
    follower.start();
    expect(await afterPolls(0)).toEqual([null]);
    expect(store.asked).toEqual(['latest']);
  });

  test('asks for one number a poll, and says nothing, while nothing changes', async () => {
    const { store, afterPolls } = await setUpFollowing({ latest: 3 });
    expect(await afterPolls(10)).toEqual([]);
    expect(store.asked).toEqual(Array(11).fill('latest'));
  });

  test('tells all that has changed since the poll before, in one go, and once', async () => {
    const { changed, afterPolls } = await setUpFollowing({ latest: 3 });
    changed.push('key_a', 'key_b', 'key_a');
    expect(await afterPolls(1)).toEqual([['key_a', 'key_b', 'key_a']]);
    expect(await afterPolls(3)).toEqual([]);
    changed.push('key_c');
    expect(await afterPolls(1)).toEqual([['key_c']]);
  });

  test('forgets everything when the numbers went back, as after a backup was restored, and goes on from there', async () => {
    const { changed, afterPolls } = await setUpFollowing({ latest: 9 });
    changed.splice(4);
    expect(await afterPolls(1)).toEqual([null]);
    expect(await afterPolls(1)).toEqual([]);
    changed.push('key_a');
    expect(await afterPolls(1)).toEqual([['key_a']]);
  });

  test('forgets everything when the store does not know what has changed, and goes on from there', async () => {
    const { store, changed, afterPolls } = await setUpFollowing();
    store.isUnknown = true;
    changed.push('key_a', 'key_b');
    expect(await afterPolls(1)).toEqual([null]);
    store.isUnknown = false;
    changed.push('key_c');
    expect(await afterPolls(1)).toEqual([['key_c']]);
  });

  test.each(['latest', 'changedObjects'] as const)(
    'reports each poll whose %s fails, loses nothing, and makes up for it at once',
    async (fails) => {
      const { store, changed, errors, afterPolls } = await setUpFollowing();
      store.fails = fails;
      changed.push('key_a');
      expect(await afterPolls(1)).toEqual([]);
      changed.push('key_b');
      expect(await afterPolls(1)).toEqual([]);
      expect(errors).toEqual([failure, failure]);
      store.fails = null;
      expect(await afterPolls(1)).toEqual([['key_a', 'key_b']]);
      expect(errors).toHaveLength(2);
    },
  );

  test('whose first poll fails has not begun: the first that passes forgets everything', async () => {
    const { follower, store, errors, afterPolls } = setUp({ latest: 2 });
    store.fails = 'latest';
    follower.start();
    expect(await afterPolls(2)).toEqual([]);
    expect(errors).toHaveLength(3);
    store.fails = null;
    expect(await afterPolls(1)).toEqual([null]);
  });

  test('never has two polls under way, however slow one is or how often it is started', async () => {
    const { follower, store, changed, afterPolls } = setUp();
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    follower.start();
    follower.start();
    expect(await afterPolls(20)).toEqual([]);
    follower.start();
    expect(store.asked).toEqual(['latest']);
    changed.push('key_a');
    store.gate = null;
    open();
    expect(await afterPolls(3)).toEqual([null]);
    expect(store.asked).toEqual(Array(4).fill('latest'));
    expect(store.mostAtOnce).toBe(1);
  });

  test('that is stopped between two polls asks and tells no more', async () => {
    const { follower, store, changed, afterPolls } = await setUpFollowing();
    await afterPolls(2);
    await follower.stop();
    changed.push('key_a');
    expect(await afterPolls(20)).toEqual([]);
    expect(store.asked).toHaveLength(3);
  });

  test('that is stopped in a poll has stopped once that is over, and no other follows', async () => {
    const { follower, store, afterPolls } = await setUpFollowing();
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    await afterPolls(1);
    let hasStopped = false;
    const stopping = follower.stop().then(() => {
      hasStopped = true;
    });
    await afterPolls(20);
    expect(hasStopped).toBe(false);
    open();
    await stopping;
    const askedUntilThen = store.asked.length;
    await afterPolls(20);
    expect(store.asked).toHaveLength(askedUntilThen);
  });

  test('that was never started stops at once', async () => {
    const { follower, store } = setUp();
    await follower.stop();
    expect(store.asked).toEqual([]);
  });
});

test('a follower does not keep the process alive', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  const { follower } = setUp();
  follower.start();
  await new Promise((resolve) => setImmediate(resolve));
  const meanwhile = timers();
  await follower.stop();
  expect(meanwhile).toBe(before);
});
