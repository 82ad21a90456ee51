/** `POST /oauth/token`: an API key, or a refresh token, for an access token (RFC 6749 §3.2, RFC 9068). */
import { buildAccessTokenClaims, excessiveTokenLength } from '../access-tokens/access-token-claims.ts';
import type { TokenSigner } from '../access-tokens/token-signer.ts';
import { decideUsability, type UnusableReason } from '../api-keys/decide-usability.ts';
import type { ReadyApiKey } from '../api-keys/ready-api-key.ts';
import type { Clock } from '../clock.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import { randomBase64url } from '../random.ts';
import type { RefreshTokenCodec } from '../sessions/refresh-token.ts';
import type { UseRecorder } from '../usage/use-recorder.ts';
import type { Grant, Granted, Planned, Proof, TokenContext } from './grant.ts';
import { audienceOf } from './requested-scope.ts';
import { TokenFault } from './token-faults.ts';
import type { TokenLifetimes } from './token-lifetimes.ts';
import type { TokenRequest } from './token-request.ts';

/** RFC 6749 §5.1, in the order and with the names it goes over the wire. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly refresh_token_expires_in?: number;
  /** Absent when no permission is held: the grammar of RFC 6749 §3.3 has no empty scope. */
  readonly scope?: string;
}

export interface TokenAnswer {
  readonly response: TokenResponse;
  readonly keyId: string;
}

// biome-ignore lint/suspicious/noExplicitAny: each grant has its own proof and plan, which only itself reads
type AnyGrant = Grant<any, any>;

export function createTokenEndpoint({
  grants,
  signer,
  refreshTokens,
  uses,
  onDenied,
  clock,
  issuer,
  lifetimes,
}: {
  readonly grants: readonly AnyGrant[];
  /** The key that signs now. Throws {@link DependencyUnavailable} while none is at hand. */
  readonly signer: () => TokenSigner;
  readonly refreshTokens: RefreshTokenCodec;
  readonly uses: Pick<UseRecorder, 'used'>;
  /** A key was proven, and may not be used now or from here. Returns at once. */
  readonly onDenied: (key: ReadyApiKey, reason: UnusableReason, context: TokenContext) => void;
  readonly clock: Clock;
  readonly issuer: string;
  readonly lifetimes: TokenLifetimes;
}) {
  const grantByType = new Map(grants.map((grant) => [grant.grantType, grant]));

  function assertUsable(grant: AnyGrant, key: ReadyApiKey, context: TokenContext): void {
    const { ip, nowMs } = context;
    const reason = decideUsability(key, ip, nowMs);
    if (reason === null) return;
    onDenied(key, reason, context);
    throw new TokenFault(grant.unusable[reason], reason === 'ip_not_allowed' ? (ip?.text ?? 'unknown') : null);
  }

  function assertTokenFits(key: ReadyApiKey, { permissions, resource }: Planned): void {
    const { id: keyId, clientId, projectId, ipAllowlist } = key;
    const audience = audienceOf(key, resource, issuer);
    const length = excessiveTokenLength({ issuer, keyId, clientId, projectId, audience, permissions, ipAllowlist });
    if (length !== null) throw new TokenFault('token_too_long', `it would have ${length}`);
  }

  function respond(key: ReadyApiKey, granted: Granted, tokenSigner: TokenSigner, nowMs: number): TokenResponse {
    const { permissions, session, secretEndsInSeconds } = granted;
    const issuedAtSeconds = Math.floor(nowMs / 1000);
    // No token outlives its key, its session, or the secret that it was exchanged for.
    const keySeconds = key.expiresAtMs === null ? Infinity : Math.floor((key.expiresAtMs - nowMs) / 1000);
    const sessionSeconds = Math.max(1, session?.endsInSeconds ?? secretEndsInSeconds ?? Infinity);
    const expiresIn = Math.min(lifetimes.accessTokenSeconds, keySeconds, sessionSeconds);
    const claims = buildAccessTokenClaims({
      issuer,
      keyId: key.id,
      clientId: key.clientId,
      projectId: key.projectId,
      audience: audienceOf(key, granted.resource, issuer),
      permissions,
      ipAllowlist: key.ipAllowlist,
      sessionId: session?.id ?? null,
      tokenId: randomBase64url(16),
      issuedAtSeconds,
      expiresAtSeconds: issuedAtSeconds + expiresIn,
    });
    return {
      access_token: tokenSigner.sign(claims),
      token_type: 'Bearer',
      expires_in: expiresIn,
      ...(session && {
        refresh_token: refreshTokens.format({ sessionId: session.id, keyId: key.id, generation: session.generation }),
        refresh_token_expires_in: Math.min(session.refreshTokenExpiresInSeconds, keySeconds),
      }),
      ...(permissions.length > 0 && { scope: permissions.join(' ') }),
    };
  }

  /**
   * @throws {TokenFault} for every refusal.
   * @throws {SecretHasherBusy} when too many chosen secrets are being checked.
   * @throws {DependencyUnavailable}
   */
  return async function issueToken(
    request: TokenRequest,
    { ip, requestId, isTooLate }: Omit<TokenContext, 'nowMs'>,
  ): Promise<TokenAnswer> {
    const context: TokenContext = { ip, requestId, isTooLate, nowMs: clock.nowMs() };
    const grant = grantByType.get(request.grantType);
    if (grant === undefined) throw new TokenFault('grant_type_unsupported', request.grantType);
    // Phase 1: who is asking? Nothing that a stranger may not know is told before this has passed.
    const proof = await grant.authenticate(request);
    const { key, secretVersion } = proof as Proof;
    // Phase 2: may this key be used now, from here?
    assertUsable(grant, key, context);
    // Phase 3: what is granted? A refusal up to here has spent nothing.
    const plan = await grant.plan(request, proof, context);
    const { planned } = plan as { readonly planned: Planned | null };
    if (planned !== null) assertTokenFits(key, planned);
    // The signer is taken before the write: without one, the refresh token must stay good.
    const tokenSigner = signer();
    if (isTooLate()) throw new DependencyUnavailable('stores', new Error('too late to write'));
    // Phase 4: one atomic write.
    const granted = await grant.commit(plan, proof, context);
    // Phase 5: sign.
    const response = respond(key, granted, tokenSigner, context.nowMs);
    const use = request.grantType === 'refresh_token' ? 'refreshes' : 'exchanges';
    uses.used(key.id, ip?.text ?? null, secretVersion, use);
    return { response, keyId: key.id };
  };
}

export type TokenEndpoint = ReturnType<typeof createTokenEndpoint>;
