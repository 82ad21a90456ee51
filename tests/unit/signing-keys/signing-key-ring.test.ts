import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Clock } from '../../../server/clock.ts';
import { createSigningKeyPairs } from '../../../server/crypto/key-pairs.ts';
import { MasterKeyMismatch, parseMasterKeys } from '../../../server/crypto/master-key.ts';
import { DependencyUnavailable } from '../../../server/dependency-unavailable.ts';
import type { SigningKeyChange } from '../../../server/signing-keys/signing-key-change.ts';
import { SigningKeyPending } from '../../../server/signing-keys/signing-key-lifecycle.ts';
import { createSigningKeyRing, type SigningKeyRingOptions } from '../../../server/signing-keys/signing-key-ring.ts';
import { MemorySigningKeyStore } from './memory-signing-key-store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const masterKeyText = randomBytes(32).toString('base64');
const newKeyPairs = (text = masterKeyText) => createSigningKeyPairs(parseMasterKeys(text));

class TestClock implements Clock {
  ms = Date.UTC(2030, 0, 1);
  nowMs(): number {
    return this.ms;
  }
}

function setUp(changed: Partial<SigningKeyRingOptions> = {}) {
  const store = new MemorySigningKeyStore();
  const clock = new TestClock();
  const changes: SigningKeyChange[] = [];
  const errors: unknown[] = [];
  const newRing = (more: Partial<SigningKeyRingOptions> = {}) =>
    createSigningKeyRing({
      store,
      keyPairs: newKeyPairs(),
      clock,
      algorithm: 'ES256',
      rotationDays: 30,
      accessTokenSeconds: 7200,
      onChange: (change) => changes.push(change),
      onError: (error) => errors.push(error),
      ...changed,
      ...more,
    });
  return { store, clock, changes, errors, newRing };
}

const kidsOf = ({ jwks }: { jwks(): { readonly keys: readonly Readonly<Record<string, string>>[] } }) =>
  jwks().keys.map(({ kid }) => kid);

describe('load', () => {
  test('the first start makes a key that signs at once, later ones keep it', async () => {
    const { store, changes, newRing } = setUp();
    const ring = newRing();
    expect(() => ring.signer()).toThrow(DependencyUnavailable);
    await ring.load();
    const { kid } = ring.signer();
    expect(kidsOf(ring)).toEqual([kid]);
    expect(changes).toEqual([{ type: 'signing_key.created', kid }]);
    const later = newRing();
    await later.load();
    expect(later.signer().kid).toBe(kid);
    expect(store.keys).toHaveLength(1);
    const token = later.signer().sign({ sub: 'key_1' });
    await jwtVerify(token, createLocalJWKSet(ring.jwks() as unknown as JSONWebKeySet));
  });

  test('of two instances that start at once one makes the key and both use it', async () => {
    const { store, changes, newRing } = setUp();
    const [a, b] = [newRing(), newRing()];
    store.afterNextList = () => b.load();
    await a.load();
    expect(store.keys).toHaveLength(1);
    expect(changes).toHaveLength(1);
    expect(a.signer().kid).toBe(b.signer().kid);
  });

  test('an instance whose clock is behind signs with the key that it did not make', async () => {
    const { clock, newRing } = setUp();
    const ahead = newRing();
    await ahead.load();
    const behind = newRing({ clock: { nowMs: () => clock.ms - 5 * MINUTE } });
    await behind.load();
    expect(behind.signer().kid).toBe(ahead.signer().kid);
  });

  test('another master key stops the start, and does not make a key', async () => {
    const { store, newRing } = setUp();
    await newRing().load();
    const stranger = newRing({ keyPairs: newKeyPairs(randomBytes(32).toString('base64')) });
    await expect(stranger.load()).rejects.toThrow(MasterKeyMismatch);
    expect(() => stranger.signer()).toThrow(DependencyUnavailable);
    expect(store.keys).toHaveLength(1);
  });

  test('a private key is opened once', async () => {
    const signer = jest.fn(newKeyPairs().signer);
    const { newRing } = setUp({ keyPairs: { ...newKeyPairs(), signer } });
    const ring = newRing();
    for (let load = 0; load < 3; load += 1) await ring.load();
    expect(ring.signer()).toBe(ring.signer());
    expect(signer).toHaveBeenCalledTimes(1);
  });

  test('gives up when other instances always write first', async () => {
    const { store, newRing } = setUp();
    store.add = async () => false;
    await expect(newRing().load()).rejects.toThrow(DependencyUnavailable);
  });
});

describe('rotate', () => {
  test('publishes a successor, which takes over by the clock without a reload', async () => {
    const { clock, changes, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const first = ring.signer().kid;
    const rotated = await ring.rotate();
    const second = rotated.kid;
    expect(rotated.type).toBe('signing_key.rotated');
    expect(changes[1]).toEqual(rotated);
    expect(kidsOf(ring)).toEqual([first, second]);
    clock.ms += 15 * MINUTE - 1;
    expect(ring.signer().kid).toBe(first);
    clock.ms += 1;
    expect(ring.signer().kid).toBe(second);
    expect(kidsOf(ring)).toEqual([first, second]);
    clock.ms += 7200_000 + 6 * MINUTE;
    expect(kidsOf(ring)).toEqual([second]);
  });

  test('twice in a row is refused', async () => {
    const { store, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const settled = await Promise.allSettled([ring.rotate(), ring.rotate()]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(ring.rotate()).rejects.toThrow(SigningKeyPending);
    expect(store.keys).toHaveLength(2);
  });

  test('of two instances at once adds one key', async () => {
    const { store, newRing } = setUp();
    const [a, b] = [newRing(), newRing()];
    await a.load();
    store.afterNextList = async () => void (await b.rotate());
    await expect(a.rotate()).rejects.toThrow(SigningKeyPending);
    expect(store.keys).toHaveLength(2);
  });

  test('happens by age and by a changed algorithm, at a load', async () => {
    const { clock, changes, newRing } = setUp();
    await newRing().load();
    clock.ms += 30 * DAY;
    await newRing().load();
    clock.ms += 15 * MINUTE;
    const ring = newRing({ algorithm: 'EdDSA' });
    await ring.load();
    expect(ring.signer().algorithm).toBe('ES256');
    clock.ms += 15 * MINUTE;
    expect(ring.signer().algorithm).toBe('EdDSA');
    expect(changes.map(({ type }) => type)).toEqual([
      'signing_key.created',
      'signing_key.rotated',
      'signing_key.rotated',
    ]);
  });

  test('leaves the signer in place for a clock that jumps back', async () => {
    const { clock, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const first = ring.signer().kid;
    await ring.rotate();
    clock.ms += 60 * MINUTE;
    await ring.load();
    clock.ms -= 60 * MINUTE;
    expect(ring.signer().kid).toBe(first);
  });
});

describe('revoke', () => {
  test('the only key: gone from the JWKS, another signs at once', async () => {
    const { changes, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const first = ring.signer().kid;
    expect(await ring.revoke(first)).toBe(true);
    const second = ring.signer().kid;
    expect(second).not.toBe(first);
    expect(kidsOf(ring)).toEqual([second]);
    expect(changes[1]).toEqual({ type: 'signing_key.revoked', kid: first });
    expect(await ring.revoke(first)).toBe(false);
    expect(await ring.revoke('unknown')).toBe(false);
  });

  test('the active key while one is pending: that one signs at once, on slow clocks too', async () => {
    const { clock, store, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const first = ring.signer().kid;
    await ring.rotate();
    await ring.revoke(first);
    expect(store.keys).toHaveLength(2);
    const behind = newRing({ clock: { nowMs: () => clock.ms - 5 * MINUTE } });
    await behind.load();
    for (const { signer, jwks } of [ring, behind]) {
      expect(signer().kid).toBe(store.keys[1]?.kid);
      expect(kidsOf({ jwks })).toEqual([store.keys[1]?.kid]);
    }
  });

  test('a pending key: another takes its place and the active one goes on until then', async () => {
    const { clock, store, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const first = ring.signer().kid;
    await ring.rotate();
    clock.ms += 10 * MINUTE;
    await ring.revoke(store.keys[1]?.kid ?? '');
    clock.ms += 15 * MINUTE - 1;
    expect(ring.signer().kid).toBe(first);
    clock.ms += 1;
    expect(ring.signer().kid).toBe(store.keys[2]?.kid);
    expect(kidsOf(ring)).toEqual([first, store.keys[2]?.kid]);
  });

  test('stands against a rotation that began before it', async () => {
    const { store, newRing } = setUp();
    const [a, b] = [newRing(), newRing()];
    await a.load();
    const first = a.signer().kid;
    store.afterNextList = async () => {
      await b.revoke(first);
    };
    await a.rotate();
    expect(kidsOf(a)).not.toContain(first);
    expect(a.signer().kid).not.toBe(first);
  });

  test('works where the master key of the revoked key is lost', async () => {
    const { store, newRing } = setUp();
    await newRing().load();
    const ring = newRing({ keyPairs: newKeyPairs(randomBytes(32).toString('base64')) });
    await ring.revoke(store.keys[0]?.kid ?? '');
    await ring.load();
    expect(ring.signer().kid).toBe(store.keys[1]?.kid);
  });
});

describe('in the background', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('follows other instances; a failure keeps what was loaded and is told', async () => {
    const { store, clock, errors, newRing } = setUp();
    const [a, b] = [newRing(), newRing()];
    await a.load();
    await b.load();
    const first = a.signer().kid;
    await b.rotate();
    jest.useFakeTimers();
    a.start();
    a.start();
    store.failure = new DependencyUnavailable('database', new Error('down'));
    await jest.advanceTimersByTimeAsync(30_000);
    expect(errors).toEqual([store.failure]);
    expect(a.signer().kid).toBe(first);
    store.failure = null;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(kidsOf(a)).toEqual(kidsOf(b));
    clock.ms += 15 * MINUTE;
    expect(a.signer().kid).toBe(b.signer().kid);
    await a.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('a pending key that cannot be opened is told of, published, and answered with 503 once it is due', async () => {
    const { clock, errors, newRing } = setUp();
    const ring = newRing();
    await ring.load();
    const other = newRing({ keyPairs: newKeyPairs(`${randomBytes(32).toString('base64')},${masterKeyText}`) });
    await other.load();
    await other.rotate();
    jest.useFakeTimers();
    ring.start();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(errors).toEqual([expect.any(MasterKeyMismatch)]);
    expect(kidsOf(ring)).toEqual(kidsOf(other));
    clock.ms += 15 * MINUTE;
    expect(() => ring.signer()).toThrow(DependencyUnavailable);
    await ring.stop();
  });
});
