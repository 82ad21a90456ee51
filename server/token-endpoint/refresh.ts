/** RFC 6749 §6 with the rotation and reuse detection of RFC 9700 §4.14: a refresh token works exactly once. */
import { PermissionSet } from '@keyturn/lib/protocol';
import type { ApiKeyReader } from '../api-keys/api-key-cache.ts';
import type { ClientAuthenticator } from '../api-keys/authenticate-client.ts';
import { isOfLivingVersion, type ReadyApiKey } from '../api-keys/ready-api-key.ts';
import { randomBase64url } from '../random.ts';
import type { RefreshTokenCodec, RefreshTokenContent } from '../sessions/refresh-token.ts';
import type { SessionGrant } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { Grant, Planned, Proof, TokenContext } from './grant.ts';
import { assertResource, audienceOf, resolveScope } from './requested-scope.ts';
import { TokenFault } from './token-faults.ts';
import type { TokenLifetimes } from './token-lifetimes.ts';
import type { TokenRequest } from './token-request.ts';

/** A refresh token that had been spent, or that the store knows nothing of yet, was presented. */
export interface RefreshTokenMisuse {
  readonly type: 'refresh_token.reused' | 'refresh_token.rolled_back';
  readonly key: ReadyApiKey;
  readonly sessionId: string;
  /** Generation of the token that was presented. */
  readonly generation: number;
  /** Address that the newest token of the session had been given to. */
  readonly lastIp: string | null;
}

interface RefreshProof extends Proof {
  readonly token: RefreshTokenContent;
}

interface Plan {
  readonly planned: Planned | null;
}

export function createRefreshGrant({
  authenticateClient,
  apiKeys,
  sessions,
  refreshTokens,
  issuer,
  lifetimes,
  onMisuse,
}: {
  readonly authenticateClient: ClientAuthenticator;
  readonly apiKeys: ApiKeyReader;
  readonly sessions: SessionStore;
  readonly refreshTokens: RefreshTokenCodec;
  readonly issuer: string;
  readonly lifetimes: TokenLifetimes;
  readonly onMisuse: (misuse: RefreshTokenMisuse, context: TokenContext) => void;
}): Grant<RefreshProof, Plan> {
  /** Version of the secret that the client sent; null when it sent none, which most keys allow. */
  async function assertSameClient(request: TokenRequest, key: ReadyApiKey): Promise<number | null> {
    const { credential, clientId } = request;
    if (clientId !== null && clientId !== key.clientId) throw new TokenFault('refresh_client_mismatch');
    if (credential === null) {
      if (key.refreshRequiresClientAuth) throw new TokenFault('refresh_client_required');
      return null;
    }
    const client = await authenticateClient(credential);
    if (client === null) throw new TokenFault('client_unproven');
    if (client.key.id !== key.id) throw new TokenFault('refresh_client_mismatch');
    return client.secretVersion;
  }

  /** What the session was granted and the key still holds: permissions added to the key since are not in it. */
  async function permissionsLeft(grant: SessionGrant, key: ReadyApiKey): Promise<PermissionSet> {
    const { permissionSet: held, permissionSetDigest } = key.rules;
    if (grant.permissions === null && grant.permissionSet === permissionSetDigest) return held;
    const granted = grant.permissions ?? (await apiKeys.findPermissionSet(grant.permissionSet ?? ''));
    if (granted === null) throw new Error('a session names a permission set that is not in the database');
    return PermissionSet.parse(granted).intersect(held);
  }

  return {
    grantType: 'refresh_token',
    unusable: {
      api_key_revoked: 'refresh_api_key_revoked',
      api_key_expired: 'refresh_api_key_expired',
      ip_not_allowed: 'refresh_ip_not_allowed',
    },

    async authenticate(request) {
      if (request.refreshToken === null) throw new TokenFault('refresh_token_missing');
      // The MAC is checked before any storage is asked: a guessed token costs nothing and ends nobody's session.
      const token = refreshTokens.parse(request.refreshToken);
      if (token === null) throw new TokenFault('refresh_token_invalid');
      const key = await apiKeys.findById(token.keyId);
      if (key === null) throw new TokenFault('refresh_token_invalid');
      return { key, token, secretVersion: await assertSameClient(request, key) };
    },

    async plan({ scope, resource }, { key, token }, { nowMs }) {
      // A plain refresh for a key that was never edited needs no look at the session before it is rotated, and so takes one
      // round trip. For any other, all that can be refused or can fail comes first: after the rotation the token is spent.
      const isEdited = key.rightsChangedAtMs !== key.createdAtMs || key.secretVersion > 1;
      if (scope === null && resource === null && !isEdited) return { planned: null };
      const session = await sessions.find(token.sessionId);
      if (session === null) throw new TokenFault('refresh_token_invalid');
      if (!isOfLivingVersion(key, session.secretVersion, nowMs)) throw new TokenFault('refresh_secret_replaced');
      const left = await permissionsLeft(session.grant, key);
      const permissions = scope === null ? left.permissions : resolveScope(scope, left, 'scope_not_in_session');
      assertResource(key, session.grant.resource, issuer);
      if (resource !== null && !audienceOf(key, session.grant.resource, issuer).includes(resource))
        throw new TokenFault('target_unknown', resource);
      return { planned: { permissions, resource: resource ?? session.grant.resource } };
    },

    async commit({ planned }, { key, token }, context) {
      const result = await sessions.rotate({
        sessionId: token.sessionId,
        generation: token.generation,
        attemptId: randomBase64url(6),
        ip: context.ip?.text ?? null,
        refreshTokenSeconds: lifetimes.refreshTokenSeconds,
        retrySeconds: lifetimes.refreshRetrySeconds,
      });
      if (result.outcome === 'not_found') throw new TokenFault('refresh_token_invalid');
      if (result.outcome === 'reused' || result.outcome === 'rolled_back') {
        const type = `refresh_token.${result.outcome}` as const;
        const { sessionId, generation } = token;
        onMisuse({ type, key, sessionId, generation, lastIp: result.session.lastIp }, context);
        throw new TokenFault(result.outcome === 'reused' ? 'refresh_token_reused' : 'refresh_token_invalid');
      }
      const { session, refreshTokenExpiresInSeconds, sessionEndsInSeconds: endsInSeconds } = result;
      const { grant } = session;
      // Known only now; a session for an audience that the project has given up can't go on anyway.
      assertResource(key, grant.resource, issuer);
      const { permissions, resource } = planned ?? {
        permissions: (await permissionsLeft(grant, key)).permissions,
        resource: grant.resource,
      };
      return {
        permissions,
        resource,
        session: { id: session.id, generation: session.generation, refreshTokenExpiresInSeconds, endsInSeconds },
      };
    },
  };
}
