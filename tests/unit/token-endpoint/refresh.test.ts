import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import type { ApiKeyReader } from '../../../server/api-keys/api-key-cache.ts';
import { permissionSetDigest } from '../../../server/api-keys/permission-set.ts';
import { readyApiKey } from '../../../server/api-keys/ready-api-key.ts';
import { DependencyUnavailable } from '../../../server/dependency-unavailable.ts';
import { newId } from '../../../server/random.ts';
import { createRefreshTokenCodec } from '../../../server/sessions/refresh-token.ts';
import type { Session, SessionGrant } from '../../../server/sessions/session.ts';
import type { SessionStore } from '../../../server/sessions/session-store.ts';
import { createRefreshGrant } from '../../../server/token-endpoint/refresh.ts';
import type { TokenRequest } from '../../../server/token-endpoint/token-request.ts';

const ISSUER = 'https://keys.example';
const codec = createRefreshTokenCodec([randomBytes(32)]);
const context = { ip: null, requestId: 'req_1', nowMs: 0, isTooLate: () => false };

/** The grant on stores that write down what is asked of them; `sets` null: the database is down. */
function setUp(key: Partial<ApiKeyForExchange>, granted: Partial<SessionGrant>, sets: Record<string, string[]> | null) {
  const calls: string[] = [];
  const apiKey = readyApiKey({
    id: newId('key'),
    effectivePermissions: ['read:a'],
    projectAudiences: [],
    secretVersion: 1,
    previousSecret: null,
    createdAtMs: 1,
    rightsChangedAtMs: 1,
    ...key,
  } as ApiKeyForExchange);
  const grant: SessionGrant = { permissions: null, permissionSet: null, resource: null, ...granted };
  const session = {
    id: newId('ses'),
    keyId: apiKey.id,
    secretVersion: 1,
    generation: 2,
    lastIp: null,
    grant,
  } as Session;
  const refreshGrant = createRefreshGrant({
    authenticateClient: async () => null,
    apiKeys: {
      findById: async () => apiKey,
      async findPermissionSet(digest: string) {
        calls.push('findPermissionSet');
        if (sets === null) throw new DependencyUnavailable('database', new Error('down'));
        return sets[digest] ?? null;
      },
    } as unknown as ApiKeyReader,
    sessions: {
      async find() {
        calls.push('find');
        return session;
      },
      async rotate() {
        calls.push('rotate');
        return { outcome: 'rotated', session, refreshTokenExpiresInSeconds: 60, sessionEndsInSeconds: null };
      },
    } as unknown as SessionStore,
    refreshTokens: codec,
    issuer: ISSUER,
    lifetimes: { accessTokenSeconds: 60, refreshTokenSeconds: 60, sessionMaxSeconds: null, refreshRetrySeconds: 0 },
    onMisuse: () => {},
  });
  const refreshToken = codec.format({ sessionId: session.id, keyId: apiKey.id, generation: 1 });
  return {
    calls,
    async refresh(parameters: Partial<TokenRequest> = {}) {
      const request = { credential: null, clientId: null, scope: null, resource: null, refreshToken, ...parameters };
      const proof = await refreshGrant.authenticate(request as TokenRequest);
      const plan = await refreshGrant.plan(request as TokenRequest, proof, context);
      return refreshGrant.commit(plan, proof, context);
    },
  };
}

const whole = { permissionSet: permissionSetDigest(['read:a']) };

describe('refresh', () => {
  test('of a key that was never edited asks the session store once, and nothing else', async () => {
    const { calls, refresh } = setUp({}, whole, null);
    expect(await refresh()).toMatchObject({ permissions: ['read:a'] });
    expect(calls).toEqual(['rotate']);
  });

  test('of a narrowed session gives what it was narrowed to', async () => {
    const { calls, refresh } = setUp({}, { permissions: ['read:a/b'] }, null);
    expect(await refresh()).toMatchObject({ permissions: ['read:a/b'] });
    expect(calls).toEqual(['rotate']);
  });

  test('of an edited key gives what was granted and is still held, and reads all of it before the token is spent', async () => {
    const before = ['read:a', 'read:b'];
    const edited = { effectivePermissions: ['read:b', 'read:c'], rightsChangedAtMs: 2 };
    const digest = permissionSetDigest(before);
    const { calls, refresh } = setUp(edited, { permissionSet: digest }, { [digest]: before });
    expect(await refresh()).toMatchObject({ permissions: ['read:b'] });
    expect(calls).toEqual(['find', 'findPermissionSet', 'rotate']);
  });

  test('that the database can not serve spends nothing', async () => {
    const edited = { effectivePermissions: ['read:b'], rightsChangedAtMs: 2 };
    const { calls, refresh } = setUp(edited, whole, null);
    await expect(refresh()).rejects.toThrow(DependencyUnavailable);
    expect(calls).not.toContain('rotate');
  });

  test('for a permission set that is lost is a fault, not a token without permissions', async () => {
    const { calls, refresh } = setUp({ effectivePermissions: ['read:b'], rightsChangedAtMs: 2 }, whole, {});
    await expect(refresh()).rejects.toThrow('permission set');
    expect(calls).not.toContain('rotate');
  });

  test('refuses what it can before the token is spent: scope, resource, another client', async () => {
    for (const parameters of [{ scope: ['read:z'] }, { resource: 'https://other.example' }, { clientId: 'somebody' }]) {
      const { calls, refresh } = setUp({}, whole, {});
      await expect(refresh(parameters)).rejects.toThrow();
      expect(calls).not.toContain('rotate');
    }
  });
});
