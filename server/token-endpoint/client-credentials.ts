/** RFC 6749 §4.4: an API key for an access token and, unless the key has none, the first refresh token of a session. */
import type { ClientAuthenticator } from '../api-keys/authenticate-client.ts';
import type { ProvenKey, ReadyApiKey } from '../api-keys/ready-api-key.ts';
import { newId, randomBase64url } from '../random.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { Grant, Planned } from './grant.ts';
import { assertResource, resolveScope } from './requested-scope.ts';
import { TokenFault } from './token-faults.ts';
import type { TokenLifetimes } from './token-lifetimes.ts';

interface Plan {
  readonly planned: Planned;
  /** True: `scope` asked for these permissions. */
  readonly isNarrowed: boolean;
}

export function createClientCredentialsGrant({
  authenticateClient,
  sessions,
  issuer,
  lifetimes,
}: {
  readonly authenticateClient: ClientAuthenticator;
  readonly sessions: SessionStore;
  readonly issuer: string;
  readonly lifetimes: TokenLifetimes;
}): Grant<ProvenKey, Plan> {
  /** What is begun with a secret that is being replaced ends with it. Null: it has no end. */
  function secretEndsInSecondsOf(key: ReadyApiKey, secretVersion: number, nowMs: number): number | null {
    if (key.previousSecret === null || secretVersion === key.secretVersion) return null;
    return Math.max(1, Math.ceil((key.previousSecret.expiresAtMs - nowMs) / 1000));
  }

  return {
    grantType: 'client_credentials',
    unusable: {
      api_key_revoked: 'api_key_revoked',
      api_key_expired: 'api_key_expired',
      ip_not_allowed: 'ip_not_allowed',
    },

    async authenticate({ credential }) {
      if (credential === null) throw new TokenFault('client_authentication_missing');
      const proven = await authenticateClient(credential);
      if (proven === null) throw new TokenFault('client_unproven');
      return proven;
    },

    async plan({ scope, resource }, { key }) {
      assertResource(key, resource, issuer);
      if (scope === null) return { planned: { permissions: key.effectivePermissions, resource }, isNarrowed: false };
      const permissions = resolveScope(scope, key.rules.permissionSet, 'scope_not_held');
      return { planned: { permissions, resource }, isNarrowed: true };
    },

    async commit({ planned, isNarrowed }, { key, secretVersion }, { ip, nowMs }) {
      const secretEndsInSeconds = secretEndsInSecondsOf(key, secretVersion, nowMs);
      if (!key.refreshTokens) return { ...planned, session: null, secretEndsInSeconds };
      const { permissions, resource } = planned;
      const id = newId('ses');
      const refreshTokenSeconds = lifetimes.refreshTokenSeconds;
      const ends = [lifetimes.sessionMaxSeconds, secretEndsInSeconds].filter((seconds) => seconds !== null);
      const sessionMaxSeconds = ends.length === 0 ? null : Math.min(...ends);
      await sessions.begin({
        id,
        keyId: key.id,
        secretVersion,
        attemptId: randomBase64url(6),
        ip: ip?.text ?? null,
        grant: {
          permissions: isNarrowed ? permissions : null,
          permissionSet: isNarrowed ? null : key.rules.permissionSetDigest,
          resource,
        },
        refreshTokenSeconds,
        sessionMaxSeconds,
      });
      const session = {
        id,
        generation: 1,
        refreshTokenExpiresInSeconds: Math.min(refreshTokenSeconds, sessionMaxSeconds ?? refreshTokenSeconds),
        endsInSeconds: sessionMaxSeconds,
      };
      return { ...planned, session };
    },
  };
}
