import { describe, expect, test } from '@jest/globals';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { createChosenSecretProof } from '../../../server/api-keys/prove-chosen-secret.ts';
import { type ReadyApiKey, readyApiKey } from '../../../server/api-keys/ready-api-key.ts';
import { tagBcryptHash } from '../../../server/api-keys/secret-hash.ts';
import { SecretHasherBusy } from '../../../server/api-keys/secret-hasher.ts';
import { createVerifiedSecrets } from '../../../server/api-keys/verified-secrets.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const RIGHT = 'Right-Secret-1';
/** Wrong ones, no two alike. */
const wrong = (number: number) => `Wrong-Secret-${number}`;
/** Of which one turn is left for the administrator. */
const CAPACITY = 5;

const NOW_MS = 1_800_000_000_000;
const saltOf = (text: string) => `$2b$12$${text}`.padEnd(29, '.');
/** As the hasher below makes it. */
const hashOf = (secret: string, salt: string) => `${salt}${secret}`;
let saltCount = 0;
const newSalt = () => {
  saltCount += 1;
  return saltOf(String(saltCount));
};

const keyOf = (clientId: string, secret: string, salt = newSalt()) =>
  readyApiKey({
    id: `key_of_${clientId}`,
    clientId,
    secretHash: tagBcryptHash(hashOf(secret, salt)),
    secretVersion: 1,
    previousSecret: null,
    isValid: true,
  } as ApiKeyForExchange);

/** With another secret, beside which this one goes on for a second. */
const regenerated = (clientId: string, secret: string, previousSecret: string, salt = newSalt()) =>
  readyApiKey({
    ...keyOf(clientId, secret, salt),
    secretVersion: 2,
    previousSecret: {
      hash: tagBcryptHash(hashOf(previousSecret, salt)),
      hint: '',
      createdAtMs: 1,
      expiresAtMs: NOW_MS + 1000,
      lastUsedAtMs: null,
    },
  });

/** Comparisons end when the test says so, as if each took its time. */
function setUp(clientIds: readonly string[] = ['known', 'other']) {
  const keys = new Map(clientIds.map((clientId) => [clientId, keyOf(clientId, RIGHT)]));
  const lookups: string[] = [];
  const comparing: { readonly secret: string; readonly end: () => void }[] = [];
  let comparisons = 0;
  const clock = createFakeClock(NOW_MS);
  const prove = createChosenSecretProof({
    apiKeys: {
      async findByClientId(clientId) {
        lookups.push(clientId);
        return keys.get(clientId) ?? null;
      },
    },
    secretHasher: {
      capacity: CAPACITY,
      hash(secret, salt = newSalt()) {
        comparisons += 1;
        return new Promise((resolve) => {
          comparing.push({ secret, end: () => resolve(hashOf(secret, salt)) });
        });
      },
    },
    verifiedSecrets: createVerifiedSecrets(clock),
    clock,
  });
  /** What becomes of attempts that are made at once: the client_id proven, null, or `busy`. */
  const outcomeOf = (proof: ReturnType<typeof prove>) =>
    proof.then(
      (proven) => proven?.key.clientId ?? null,
      (error) => {
        if (!(error instanceof SecretHasherBusy)) throw error;
        return 'busy';
      },
    );
  const attempt = (clientId: string, ...secrets: string[]) => outcomeOf(prove(clientId, secrets));
  /** Lets all that is not waiting for a comparison take place. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const endComparisons = async () => {
    for (await settle(); comparing.length > 0; await settle()) for (const { end } of comparing.splice(0)) end();
  };
  const endComparisonOf = async (secret: string) => {
    await settle();
    comparing.find((comparison) => comparison.secret === secret)?.end();
    await settle();
  };
  /** Which secret proves the client, by its version. */
  const versionOf = async (clientId: string, ...secrets: string[]) => {
    const proof = prove(clientId, secrets);
    await endComparisons();
    return (await proof)?.secretVersion ?? null;
  };
  return {
    prove,
    attempt,
    versionOf,
    clock,
    settle,
    endComparisons,
    endComparisonOf,
    keys,
    lookups,
    comparisons: () => comparisons,
  };
}

describe('a flood', () => {
  test('for one client leaves the others their turn', async () => {
    const { attempt, settle, endComparisons } = setUp();
    const flood = Array.from({ length: 50 }, (_, index) => attempt('known', wrong(index)));
    await settle();
    const other = attempt('other', RIGHT);
    await endComparisons();
    expect(await other).toBe('other');
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(48);
  });

  test.each([
    ['for many clients', (index: number) => `stranger_${index}`],
    ['for one client', () => 'known'],
    ['for a client that does not exist', () => 'stranger'],
  ])('%s looks up no more than what has a turn, and leaves the administrator one', async (_name, clientIdOf) => {
    const { attempt, endComparisons, lookups, comparisons } = setUp();
    const flood = Array.from({ length: 50 }, (_, index) => attempt(clientIdOf(index), wrong(index)));
    await endComparisons();
    await Promise.all(flood);
    // Before the comparison and after it.
    expect(lookups).toHaveLength(2 * comparisons());
    expect(comparisons()).toBeLessThan(CAPACITY);
  });

  test('is refused alike, whether its client exists or not', async () => {
    const floodFor = async (clientId: string) => {
      const { attempt, endComparisons, lookups, comparisons } = setUp();
      const flood = Array.from({ length: 9 }, (_, index) => attempt(clientId, wrong(index)));
      await endComparisons();
      return { outcomes: await Promise.all(flood), lookups: lookups.length, comparisons: comparisons() };
    };
    expect(await floodFor('known')).toEqual(await floodFor('stranger'));
  });

  test.each([
    ['in its only reading', [RIGHT]],
    ['in its second reading', ['Right Secret 1', RIGHT]],
  ])('is not noticed by a client whose secret is remembered, %s', async (_name, readings) => {
    const { attempt, settle, endComparisons } = setUp();
    const first = attempt('known', ...readings);
    await endComparisons();
    expect(await first).toBe('known');
    const flood = ['known', 'other', 'stranger'].flatMap((clientId) =>
      Array.from({ length: 9 }, (_, index) => attempt(clientId, wrong(index))),
    );
    await settle();
    expect(await attempt('known', ...readings)).toBe('known');
    await endComparisons();
    await Promise.all(flood);
  });

  test('for one client keeps to its own turns, whoever else has ended theirs', async () => {
    const { attempt, endComparisons, endComparisonOf } = setUp();
    const first = attempt('known', wrong(0));
    const other = attempt('other', RIGHT);
    await endComparisonOf(RIGHT);
    const flood = [attempt('known', wrong(1)), attempt('known', wrong(2))];
    await endComparisons();
    expect(await Promise.all([first, other, ...flood])).toEqual([null, 'other', null, 'busy']);
  });

  test('that is over leaves every turn free', async () => {
    const { attempt, endComparisons } = setUp();
    for (let round = 0; round < 5; round += 1) {
      const flood = Array.from({ length: 20 }, (_, index) => attempt(`stranger_${index % 4}`, wrong(index)));
      await endComparisons();
      const outcomes = await Promise.all(flood);
      expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(CAPACITY - 1);
    }
  });
});

describe('equal attempts', () => {
  test.each([
    ['right', 'known', RIGHT, 'known'],
    ['wrong', 'known', wrong(1), null],
    ['for a client that does not exist', 'stranger', RIGHT, null],
  ])('that are %s share one comparison', async (_name, clientId, secret, outcome) => {
    const { attempt, endComparisons, comparisons } = setUp();
    const attempts = Array.from({ length: 50 }, () => attempt(clientId, secret));
    await endComparisons();
    expect(new Set(await Promise.all(attempts))).toEqual(new Set([outcome]));
    expect(comparisons()).toBe(1);
  });

  test('are of one client: the same secret for two is compared twice', async () => {
    const { attempt, endComparisons, comparisons } = setUp();
    const attempts = ['stranger_1', 'stranger_2'].map((clientId) => attempt(clientId, RIGHT));
    await endComparisons();
    expect(await Promise.all(attempts)).toEqual([null, null]);
    expect(comparisons()).toBe(2);
  });

  test('share nothing once the secret has been changed between them', async () => {
    const { attempt, settle, endComparisons, keys } = setUp();
    const before = [attempt('known', RIGHT), attempt('known', wrong(1))];
    await settle();
    keys.set('known', keyOf('known', wrong(1)));
    const after = [attempt('known', RIGHT), attempt('known', wrong(1))];
    await endComparisons();
    expect(new Set(await Promise.all([...before, ...after]))).toEqual(new Set(['busy']));
    const later = [attempt('known', RIGHT), attempt('known', wrong(1))];
    await endComparisons();
    expect(await Promise.all(later)).toEqual([null, 'known']);
  });
});

test('a key that was revoked while its secret was compared is given as it is now', async () => {
  const { prove, settle, endComparisons, keys } = setUp();
  const proof = prove('known', [RIGHT]);
  await settle();
  const known = keys.get('known') as ReadyApiKey;
  keys.set('known', { ...known, isValid: false });
  await endComparisons();
  expect(await proof).toMatchObject({ key: { clientId: 'known', isValid: false } });
});

test('a secret that is remembered proves nothing once it has been changed, and waits its turn like any other', async () => {
  const { attempt, settle, endComparisons, keys } = setUp();
  const first = attempt('known', RIGHT);
  await endComparisons();
  expect(await first).toBe('known');
  keys.set('known', keyOf('known', wrong(0)));
  const flood = [attempt('known', wrong(1)), attempt('known', wrong(2))];
  await settle();
  expect(await attempt('known', RIGHT)).toBe('busy');
  await endComparisons();
  await Promise.all(flood);
  const later = attempt('known', RIGHT);
  await endComparisons();
  expect(await later).toBeNull();
});

describe('two secrets of one key', () => {
  const OLD = 'Older-Secret-0';

  test('both prove it for as long as they overlap, and then the newer one', async () => {
    const { versionOf, clock, keys } = setUp();
    keys.set('known', regenerated('known', RIGHT, OLD));
    expect(await versionOf('known', RIGHT)).toBe(2);
    expect(await versionOf('known', OLD)).toBe(1);
    clock.advance(999);
    expect(await versionOf('known', OLD)).toBe(1);
    clock.advance(1);
    expect(await versionOf('known', OLD)).toBeNull();
    expect(await versionOf('known', RIGHT)).toBe(2);
  });

  test('cost what one costs, right or wrong, and what no key costs', async () => {
    const costOf = async (clientId: string, ...secrets: string[]) => {
      const { versionOf, keys, lookups, comparisons } = setUp();
      keys.set('known', regenerated('known', RIGHT, OLD));
      await versionOf(clientId, ...secrets);
      return { lookups: lookups.length, comparisons: comparisons() };
    };
    const once = { lookups: 2, comparisons: 1 };
    for (const secret of [RIGHT, OLD, wrong(1)]) expect(await costOf('known', secret)).toEqual(once);
    for (const clientId of ['other', 'stranger']) expect(await costOf(clientId, wrong(1))).toEqual(once);
  });

  test('are both remembered, without another comparison', async () => {
    const { versionOf, keys, comparisons } = setUp();
    keys.set('known', regenerated('known', RIGHT, OLD));
    for (let time = 0; time < 2; time += 1) for (const secret of [RIGHT, OLD]) await versionOf('known', secret);
    expect(comparisons()).toBe(2);
  });

  test('one that is remembered goes on through the regeneration, as the previous one', async () => {
    const { versionOf, keys, comparisons } = setUp([]);
    const salt = newSalt();
    keys.set('known', keyOf('known', OLD, salt));
    expect(await versionOf('known', OLD)).toBe(1);
    keys.set('known', regenerated('known', RIGHT, OLD, salt));
    expect(await versionOf('known', OLD)).toBe(1);
    expect(comparisons()).toBe(1);
  });

  test('a chosen one proves its key beside a generated one', async () => {
    const { versionOf, keys } = setUp();
    const key = regenerated('known', RIGHT, OLD);
    keys.set('known', readyApiKey({ ...key, secretHash: 'sha256:AAAA' }));
    expect(await versionOf('known', OLD)).toBe(1);
    expect(await versionOf('known', RIGHT)).toBeNull();
  });
});

describe('what fails is told as it is, and gives its turn back:', () => {
  const down = new Error('the database is down');
  const found = keyOf('known', RIGHT);
  const failing = async () => {
    throw down;
  };

  test.each([
    ['the lookup', [failing], async () => ''],
    ['the comparison', [async () => found], failing],
    ['the lookup after it', [async () => found, failing], async () => ''],
  ])('%s', async (_name, lookups, hash) => {
    let lookup = 0;
    const prove = createChosenSecretProof({
      apiKeys: { findByClientId: () => lookups[lookup++ % lookups.length]?.() ?? failing() },
      secretHasher: { capacity: 2, hash },
      verifiedSecrets: createVerifiedSecrets(createFakeClock()),
      clock: createFakeClock(),
    });
    for (let index = 0; index < 3; index += 1) await expect(prove('known', [wrong(index)])).rejects.toBe(down);
    // The same again: nothing of the failure is shared with who comes later.
    await expect(prove('known', [wrong(0)])).rejects.toBe(down);
  });
});
