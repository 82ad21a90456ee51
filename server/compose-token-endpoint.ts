/** The token endpoint and what it tells of misuse. */
import type { ApiKeyReader } from './api-keys/api-key-cache.ts';
import { createClientAuthenticator } from './api-keys/authenticate-client.ts';
import type { UnusableReason } from './api-keys/decide-usability.ts';
import type { ReadyApiKey } from './api-keys/ready-api-key.ts';
import type { SecretHasher } from './api-keys/secret-hasher.ts';
import { createVerifiedSecrets } from './api-keys/verified-secrets.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { DenialLog } from './audit/denial-log.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { MasterKeys } from './crypto/master-key.ts';
import type { Logger } from './logging.ts';
import { createRefreshTokenCodec } from './sessions/refresh-token.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { SigningKeyRing } from './signing-keys/signing-key-ring.ts';
import { createClientCredentialsGrant } from './token-endpoint/client-credentials.ts';
import type { TokenContext } from './token-endpoint/grant.ts';
import { createRefreshGrant, type RefreshTokenMisuse } from './token-endpoint/refresh.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint/token-endpoint.ts';
import type { TokenLifetimes } from './token-endpoint/token-lifetimes.ts';
import type { UseRecorder } from './usage/use-recorder.ts';

/** A spent token in somebody's hands is what an operator wants to hear of: in the log and in the audit trail. */
function reportMisuse(audit: AuditLog, logger: Logger): (misuse: RefreshTokenMisuse, context: TokenContext) => void {
  return ({ type, key, sessionId, generation, lastIp }, { ip, requestId }) => {
    const address = ip?.text ?? null;
    const detail = { key_id: key.id, generation, last_ip: lastIp, ip: address };
    logger.warn({ type, session_id: sessionId, request_id: requestId, ...detail }, 'session ended');
    const object = { projectId: key.projectId, objectId: sessionId, detail };
    audit.record(type, { actorId: null, ip: address, requestId }, object);
  };
}

export function composeTokenEndpoint(
  config: Config,
  {
    secretHasher,
    masterKeys,
    signingKeys,
    audit,
  }: {
    readonly secretHasher: SecretHasher;
    readonly masterKeys: MasterKeys;
    readonly signingKeys: SigningKeyRing;
    readonly audit: AuditLog;
  },
  {
    reader,
    sessions,
    uses,
    denials,
    clock,
    logger,
  }: {
    readonly reader: ApiKeyReader;
    readonly sessions: SessionStore;
    readonly uses: UseRecorder;
    readonly denials: DenialLog;
    readonly clock: Clock;
    readonly logger: Logger;
  },
): TokenEndpoint {
  const { issuer } = config;
  const lifetimes: TokenLifetimes = {
    accessTokenSeconds: config.accessTokenSeconds,
    refreshTokenSeconds: config.accessTokenSeconds + config.refreshGraceSeconds,
    sessionMaxSeconds: config.sessionMaxSeconds,
    refreshRetrySeconds: config.refreshRetrySeconds,
  };
  const refreshTokens = createRefreshTokenCodec(masterKeys.refreshTokenMacKeys());
  const verifiedSecrets = createVerifiedSecrets(clock);
  const authenticateClient = createClientAuthenticator({ apiKeys: reader, secretHasher, verifiedSecrets, clock });
  const shared = { authenticateClient, sessions, issuer, lifetimes };
  const grants = [
    createClientCredentialsGrant(shared),
    createRefreshGrant({ ...shared, apiKeys: reader, refreshTokens, onMisuse: reportMisuse(audit, logger) }),
  ];
  const onDenied = (key: ReadyApiKey, reason: UnusableReason, { ip, requestId }: TokenContext): void => {
    uses.denied(key.id, reason);
    const origin = { ip: ip?.text ?? null, requestId };
    denials.record({ keyId: key.id, projectId: key.projectId, reason, origin });
  };
  const { signer } = signingKeys;
  return createTokenEndpoint({ grants, signer, refreshTokens, uses, onDenied, clock, issuer, lifetimes });
}
