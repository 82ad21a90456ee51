import { describe, expect, test } from '@jest/globals';
import type { SigningKey } from '../../../server/signing-keys/signing-key.ts';
import {
  activeKey,
  decideSigningKeyChange,
  pendingKey,
  planFirstKey,
  planRevocation,
  planRotation,
  publishedKeys,
  SigningKeyPending,
  signingKeyState,
} from '../../../server/signing-keys/signing-key-lifecycle.ts';
import { summarizeSigningKeys } from '../../../server/signing-keys/summarize-signing-keys.ts';

const NOW = Date.UTC(2030, 0, 1);
const MINUTE = 60_000;
const DAY = 86_400_000;
const LIFE_SECONDS = 7200;

function key(kid: string, times: Partial<SigningKey>): SigningKey {
  return {
    kid,
    sequence: 1,
    algorithm: 'ES256',
    publicJwk: { kid },
    encryptedPrivateKey: 'v1.…',
    createdAtMs: 0,
    activeFromMs: 0,
    retiringFromMs: null,
    retiredFromMs: null,
    ...times,
  };
}

const kids = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid);
const gone = key('gone', { sequence: 1, retiringFromMs: NOW - 9 * DAY, retiredFromMs: NOW - 8 * DAY });
const retiring = key('retiring', { sequence: 2, retiringFromMs: NOW - MINUTE, retiredFromMs: NOW + MINUTE });
const active = key('active', { sequence: 3, activeFromMs: NOW - MINUTE });
const handingOver = { ...active, retiringFromMs: NOW + MINUTE, retiredFromMs: NOW + DAY };
const pending = key('pending', { sequence: 4, activeFromMs: NOW + MINUTE });
const revoked = (revokedKey: SigningKey) => ({ ...revokedKey, retiringFromMs: NOW, retiredFromMs: NOW });
const all = [gone, retiring, handingOver, pending];

describe('signingKeyState', () => {
  const rotated = { activeFromMs: 100, retiringFromMs: 200, retiredFromMs: 300 };
  test.each([
    [99, 'pending'],
    [100, 'active'],
    [199, 'active'],
    [200, 'retiring'],
    [299, 'retiring'],
    [300, 'retired'],
  ])('at %i it is %s', (nowMs, state) => {
    expect(signingKeyState(rotated, nowMs)).toBe(state);
  });

  test('without a successor it stays active', () => {
    expect(signingKeyState(active, Number.MAX_SAFE_INTEGER)).toBe('active');
  });

  test('a revoked key is retired also on a clock that is behind, and before it was active', () => {
    for (const nowMs of [NOW - DAY, NOW, NOW + DAY]) expect(signingKeyState(revoked(pending), nowMs)).toBe('retired');
  });
});

describe('which key does what', () => {
  test('pending, active and retiring keys are published, one signs', () => {
    expect(kids(publishedKeys(all, NOW))).toEqual(['retiring', 'active', 'pending']);
    expect(activeKey(all, NOW)?.kid).toBe('active');
    expect(pendingKey(all, NOW)?.kid).toBe('pending');
  });

  test('the clock alone hands over', () => {
    expect(activeKey(all, NOW + MINUTE - 1)?.kid).toBe('active');
    expect(activeKey(all, NOW + MINUTE)?.kid).toBe('pending');
    expect(pendingKey(all, NOW + MINUTE)).toBeNull();
  });

  test('where none is active the first pending one signs, and does not count as waiting', () => {
    const later = key('later', { sequence: 5, activeFromMs: NOW + 2 * MINUTE });
    expect(activeKey([retiring, later, pending], NOW)?.kid).toBe('pending');
    expect(pendingKey([retiring, pending], NOW)).toBeNull();
  });

  test('none when all are retired or retiring', () => {
    expect(activeKey([gone, retiring], NOW)).toBeNull();
    expect(activeKey([], NOW)).toBeNull();
  });
});

describe('summarizeSigningKeys', () => {
  const states = (keys: readonly SigningKey[], nowMs: number) =>
    summarizeSigningKeys(keys, nowMs).map(({ kid, state }) => [kid, state]);

  test('tells the state of each', () => {
    expect(states(all, NOW)).toEqual([
      ['gone', 'retired'],
      ['retiring', 'retiring'],
      ['active', 'active'],
      ['pending', 'pending'],
    ]);
  });

  test('a key that signs ahead of its time is active', () => {
    expect(states([revoked(active), pending], NOW)).toEqual([
      ['active', 'retired'],
      ['pending', 'active'],
    ]);
  });

  test('shows no key material', () => {
    const [shown] = summarizeSigningKeys([active], NOW);
    expect(shown).toMatchObject({ kid: 'active', activeFromMs: active.activeFromMs });
    expect(shown).not.toHaveProperty('encryptedPrivateKey');
    expect(shown).not.toHaveProperty('publicJwk');
  });
});

describe('decideSigningKeyChange', () => {
  const old = (ageMs: number) => [key('old', { activeFromMs: NOW - ageMs })];
  const settings = { algorithm: 'ES256', rotationDays: 30 } as const;
  test.each([
    ['no key', [], settings, 'create'],
    ['no usable key', [gone, retiring], settings, 'create'],
    ['a young key', old(30 * DAY - 1), settings, 'none'],
    ['an old key', old(30 * DAY), settings, 'rotate'],
    ['an old key, by hand only', old(999 * DAY), { ...settings, rotationDays: 0 }, 'none'],
    ['another algorithm', old(1), { algorithm: 'EdDSA', rotationDays: 0 }, 'rotate'],
    ['another algorithm, one pending', all, { ...settings, algorithm: 'RS256' }, 'none'],
    ['an old key, one pending', [...old(99 * DAY), pending], settings, 'none'],
  ] as const)('%s', (_, keys, given, decision) => {
    expect(decideSigningKeyChange(keys, NOW, given)).toBe(decision);
  });
});

describe('planning', () => {
  test('the first key signs at once', () => {
    expect(planFirstKey([], NOW)).toEqual({ sequence: 1, createdAtMs: NOW, activeFromMs: NOW, retirements: [] });
  });

  test('a successor is published 15 minutes ahead; its predecessor outlives its last token by 6 minutes', () => {
    const activeFromMs = NOW + 15 * MINUTE;
    expect(planRotation([gone, active], NOW, LIFE_SECONDS)).toEqual({
      sequence: 4,
      createdAtMs: NOW,
      activeFromMs,
      retirements: [
        { kid: 'active', retiringFromMs: activeFromMs, retiredFromMs: activeFromMs + LIFE_SECONDS * 1000 + 6 * MINUTE },
      ],
    });
  });

  test('a rotation while one is pending says when that one becomes active', () => {
    const plan = () => planRotation(all, NOW, LIFE_SECONDS);
    expect(plan).toThrow(SigningKeyPending);
    expect(plan).toThrow('2030-01-01T00:01:00.000Z');
  });
});

describe('planRevocation', () => {
  const revocation = (kid: string) => ({ kid, retiringFromMs: NOW, retiredFromMs: NOW });
  const plan = (keys: readonly SigningKey[], kid: string) => planRevocation(keys, kid, NOW, LIFE_SECONDS);

  test('nothing for a key that is unknown or out already', () => {
    expect(plan(all, 'unknown')).toBeNull();
    expect(plan(all, 'gone')).toBeNull();
    expect(plan([revoked(active), pending], 'active')).toBeNull();
  });

  test('a retiring key just goes', () => {
    expect(plan(all, 'retiring')).toEqual({ revocation: revocation('retiring'), newKey: null });
  });

  test('an active key leaves its place to the pending one at once', () => {
    expect(plan(all, 'active')).toEqual({ revocation: revocation('active'), newKey: null });
    expect(activeKey([gone, retiring, revoked(handingOver), pending], NOW)?.kid).toBe('pending');
  });

  test('the only usable key is replaced at once', () => {
    const newKey = { sequence: 4, createdAtMs: NOW, activeFromMs: NOW, retirements: [] };
    expect(plan([retiring, active], 'active')).toEqual({ revocation: revocation('active'), newKey });
  });

  test('a pending key is replaced by another, because the end of its predecessor is set', () => {
    const newKey = planRotation([active, revoked(pending)], NOW, LIFE_SECONDS);
    expect(plan(all, 'pending')).toEqual({ revocation: revocation('pending'), newKey });
    expect(newKey).toMatchObject({ sequence: 5, activeFromMs: NOW + 15 * MINUTE, retirements: [{ kid: 'active' }] });
  });
});
