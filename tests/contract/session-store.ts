import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, randomBase64url } from '../../server/random.ts';
import type { NewSession, RotationAttempt, SessionStore } from '../../server/sessions/session-store.ts';
import { describeSessionRaces } from './session-store-races.ts';

export interface OpenSessionStore {
  readonly store: SessionStore;
  /** Makes a session look as if all that befell it had happened so much earlier: stands for waiting. */
  age(sessionId: string, milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

export interface SessionStoreHarness {
  readonly name: string;
  open(): Promise<OpenSessionStore>;
}

/** The store of the running suite; opened before its first case. */
export type CurrentStore = () => OpenSessionStore;

export function newSession(changes: Partial<NewSession> = {}): NewSession {
  return {
    id: newId('ses'),
    keyId: newId('key'),
    secretVersion: 1,
    attemptId: randomBase64url(16),
    ip: '203.0.113.7',
    grant: { permissions: null, permissionSet: randomBase64url(16), resource: null },
    refreshTokenSeconds: 10_800,
    sessionMaxSeconds: null,
    ...changes,
  };
}

export function presenting(session: NewSession, changes: Partial<RotationAttempt> = {}): RotationAttempt {
  return {
    sessionId: session.id,
    generation: 1,
    attemptId: randomBase64url(16),
    ip: '203.0.113.7',
    refreshTokenSeconds: 10_800,
    retrySeconds: 0,
    ...changes,
  };
}

/** What every SessionStore must do, whatever it is built on. */
export function describeSessionStore(harness: SessionStoreHarness): void {
  describe(`SessionStore on ${harness.name}`, () => {
    let opened: OpenSessionStore;
    beforeAll(async () => {
      opened = await harness.open();
    });
    afterAll(() => opened?.close());
    const current = () => opened;
    describe('begin, find, revoke', () => describeRecord(current));
    describe('rotation', () => describeRotation(current));
    describe('ends of a session', () => describeEnds(current));
    describe('retry window', () => describeRetryWindow(current));
    describe('races', () => describeSessionRaces(current));
  });
}

function describeRecord(current: CurrentStore): void {
  it.each<[string, Partial<NewSession>]>([
    ['as granted whole', {}],
    ['narrowed', { grant: { permissions: ['read:a/b-*', '*:c'], permissionSet: null, resource: null } }],
    [
      'narrowed to the longest scope, 8 KiB',
      {
        grant: {
          permissions: Array.from({ length: 2048 }, (_, i) => `${'abcdefgh'[i % 8]}:c`),
          permissionSet: null,
          resource: null,
        },
      },
    ],
    ['narrowed to nothing', { grant: { permissions: [], permissionSet: null, resource: null } }],
    [
      'for a resource',
      { grant: { permissions: null, permissionSet: 'x'.repeat(22), resource: 'https://a.b/é?q=1%2F' } },
    ],
    ['without an address', { ip: null }],
    ['with an IPv6 address', { ip: '2001:db8:1234:5678:9abc:def0:1234:5678' }],
    ['of a secret that replaced another', { secretVersion: 12 }],
    ['of such a secret, with an end', { secretVersion: 2, sessionMaxSeconds: 86_400 }],
    ['with an end', { sessionMaxSeconds: 86_400 }],
  ])('gives back a session %s', async (_, changes) => {
    const { store } = current();
    const session = newSession(changes);
    await store.begin(session);
    const found = await store.find(session.id);
    expect(found).toEqual({
      id: session.id,
      keyId: session.keyId,
      secretVersion: session.secretVersion,
      generation: 1,
      attemptId: session.attemptId,
      rotatedAtMs: expect.any(Number),
      endsAtMs: session.sessionMaxSeconds === null ? null : (found?.rotatedAtMs ?? 0) + 86_400_000,
      lastIp: session.ip,
      grant: session.grant,
    });
  });

  it('begins once, however often it is sent', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    await store.begin(session);
    await store.rotate(presenting(session));
    await store.begin(session);
    expect((await store.find(session.id))?.generation).toBe(2);
  });

  it('revokes for good', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    expect(await store.revoke(session.id)).toBe(true);
    expect(await store.revoke(session.id)).toBe(false);
    expect(await store.find(session.id)).toBeNull();
    expect(await store.rotate(presenting(session))).toEqual({ outcome: 'not_found' });
  });

  it('knows no session that never began, and serves', async () => {
    const { store } = current();
    const session = newSession();
    expect(await store.find(session.id)).toBeNull();
    expect(await store.rotate(presenting(session))).toEqual({ outcome: 'not_found' });
    await expect(store.ping()).resolves.toBeUndefined();
  });
}

function describeRotation(current: CurrentStore): void {
  it('makes the next generation and keeps the grant', async () => {
    const { store } = current();
    const session = newSession({ grant: { permissions: ['read:a'], permissionSet: null, resource: 'https://api' } });
    await store.begin(session);
    const attempt = presenting(session, { ip: '198.51.100.9', refreshTokenSeconds: 60 });
    const result = await store.rotate(attempt);
    expect(result).toMatchObject({
      outcome: 'rotated',
      session: { generation: 2, attemptId: attempt.attemptId, lastIp: '198.51.100.9', grant: session.grant },
      refreshTokenExpiresInSeconds: 60,
      sessionEndsInSeconds: null,
    });
    expect(await store.find(session.id)).toEqual('session' in result && result.session);
  });

  it('revokes on reuse and tells who had rotated', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    await store.rotate(presenting(session, { ip: '198.51.100.9' }));
    const reuse = await store.rotate(presenting(session, { ip: '192.0.2.66' }));
    expect(reuse).toMatchObject({ outcome: 'reused', session: { generation: 2, lastIp: '198.51.100.9' } });
    expect(await store.find(session.id)).toBeNull();
    expect(await store.rotate(presenting(session, { generation: 2 }))).toEqual({ outcome: 'not_found' });
  });

  it('answers the same attempt, sent again, with the same successor', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    const attempt = presenting(session);
    const first = await store.rotate(attempt);
    const second = await store.rotate(attempt);
    expect(second).toMatchObject({ outcome: 'rotated', session: 'session' in first ? first.session : null });
    expect(await store.rotate(presenting(session, { generation: 2 }))).toMatchObject({ outcome: 'rotated' });
    expect(await store.rotate(attempt)).toMatchObject({ outcome: 'reused' });
  });

  it('sees a rolled-back store by its generation, and revokes', async () => {
    const { store } = current();
    const session = newSession();
    await store.begin(session);
    const result = await store.rotate(presenting(session, { generation: 2 }));
    expect(result).toMatchObject({ outcome: 'rolled_back', session: { generation: 1 } });
    expect(await store.find(session.id)).toBeNull();
  });
}

function describeEnds(current: CurrentStore): void {
  it('ends with its refresh token, swept or not', async () => {
    const { store, age } = current();
    const session = newSession({ refreshTokenSeconds: 100 });
    await store.begin(session);
    await age(session.id, 101_000);
    expect(await store.find(session.id)).toBeNull();
    expect(await store.rotate(presenting(session))).toEqual({ outcome: 'not_found' });
  });

  it('lives on with each rotation when it has no end', async () => {
    const { store, age } = current();
    const session = newSession({ refreshTokenSeconds: 100 });
    await store.begin(session);
    await age(session.id, 60_000);
    await store.rotate(presenting(session, { refreshTokenSeconds: 100 }));
    await age(session.id, 60_000);
    expect(await store.find(session.id)).toMatchObject({ generation: 2 });
  });

  it('never outlives its absolute end', async () => {
    const { store, age } = current();
    const session = newSession({ refreshTokenSeconds: 100, sessionMaxSeconds: 150 });
    await store.begin(session);
    await age(session.id, 90_000);
    const result = await store.rotate(presenting(session, { refreshTokenSeconds: 100 }));
    const remaining = result.outcome === 'rotated' ? result.refreshTokenExpiresInSeconds : null;
    expect(remaining).toBeGreaterThan(40);
    expect(remaining).toBeLessThanOrEqual(60);
    expect(result).toMatchObject({ sessionEndsInSeconds: remaining });
    await age(session.id, 61_000);
    expect(await store.rotate(presenting(session, { generation: 2 }))).toEqual({ outcome: 'not_found' });
  });

  it('ends at its absolute end when that is before the first refresh token does', async () => {
    const { store, age } = current();
    const session = newSession({ refreshTokenSeconds: 100, sessionMaxSeconds: 50 });
    await store.begin(session);
    await age(session.id, 51_000);
    expect(await store.find(session.id)).toBeNull();
  });
}

function describeRetryWindow(current: CurrentStore): void {
  const rotated = async (retrySeconds = 30) => {
    const session = newSession();
    await current().store.begin(session);
    const retry = (changes: Partial<RotationAttempt> = {}) =>
      current().store.rotate(presenting(session, { retrySeconds, ...changes }));
    await retry();
    return { session, retry };
  };

  it('gives the same client the same successor again, and only its remaining life', async () => {
    const { session, retry } = await rotated();
    await current().age(session.id, 10_000);
    const result = await retry();
    expect(result).toMatchObject({ outcome: 'retried', session: { generation: 2 } });
    const remaining = result.outcome === 'retried' ? result.refreshTokenExpiresInSeconds : 0;
    expect(remaining).toBeLessThanOrEqual(10_790);
    expect(remaining).toBeGreaterThan(10_700);
    expect(await retry({ generation: 2 })).toMatchObject({ outcome: 'rotated', session: { generation: 3 } });
  });

  it.each<[string, Partial<RotationAttempt>]>([
    ['another address', { ip: '192.0.2.66' }],
    ['an unknown address', { ip: null }],
    ['a window of nothing', { retrySeconds: 0 }],
  ])('is closed to %s', async (_, changes) => {
    const { session, retry } = await rotated();
    expect(await retry(changes)).toMatchObject({ outcome: 'reused' });
    expect(await current().store.find(session.id)).toBeNull();
  });

  it('is closed to two unknown addresses, which need not be one client', async () => {
    const { store } = current();
    const session = newSession({ ip: null });
    await store.begin(session);
    await store.rotate(presenting(session, { ip: null, retrySeconds: 30 }));
    expect(await store.rotate(presenting(session, { ip: null, retrySeconds: 30 }))).toMatchObject({
      outcome: 'reused',
    });
  });

  it('closes with time', async () => {
    const { session, retry } = await rotated();
    await current().age(session.id, 31_000);
    expect(await retry()).toMatchObject({ outcome: 'reused' });
  });

  it('closes with the first use of the successor, and never reaches older generations', async () => {
    const { session, retry } = await rotated();
    await retry({ generation: 2 });
    expect(await retry()).toMatchObject({ outcome: 'reused', session: { generation: 3 } });
    expect(await current().store.find(session.id)).toBeNull();
  });
}
