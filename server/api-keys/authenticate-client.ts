import { checkChosenSecret, isGeneratedSecretForm, parseGeneratedSecret } from '@keyturn/lib/protocol';
import type { ApiKeyReader } from './api-key-cache.ts';
import type { ReadyApiKey } from './ready-api-key.ts';
import { bcryptHashOf, isGeneratedSecret } from './secret-hash.ts';
import type { SecretHasher } from './secret-hasher.ts';
import type { VerifiedSecrets } from './verified-secrets.ts';

/** bcrypt, cost 12, of a secret that nobody knows: compared where there is no hash, so that the time is the same. */
const NOBODYS_BCRYPT_HASH = '$2b$12$xb/c6FLatDEVVZQVcdFjI.bbm3L0kIEYoLcqlGBlZ9LbT71X9yHOq';

export interface PresentedSecret {
  /** Null where the secret alone names its key. */
  readonly clientId: string | null;
  /** Readings of one secret, tried in order. */
  readonly secrets: readonly string[];
}

/**
 * Proves an API key (RFC 6749 §2.3). Which way is taken, and so how long it takes, depends on what was presented and
 * never on what is stored: an unknown client_id costs what a wrong secret costs.
 */
export function createClientAuthenticator({
  apiKeys,
  secretHasher,
  verifiedSecrets,
}: {
  readonly apiKeys: Pick<ApiKeyReader, 'findByClientId' | 'findByClientIdSuffix'>;
  readonly secretHasher: SecretHasher;
  readonly verifiedSecrets: VerifiedSecrets;
}) {
  async function proveGenerated(clientId: string | null, secret: string): Promise<ReadyApiKey | null> {
    // A mistyped or truncated key fails its checksum here, before any storage is asked.
    const parsed = parseGeneratedSecret(secret);
    if (parsed === null) return null;
    const key = await apiKeys.findByClientIdSuffix(parsed.clientIdSuffix);
    const isProven = isGeneratedSecret(secret, key?.rules.secretSha256 ?? null);
    return isProven && (clientId === null || clientId === key?.clientId) ? key : null;
  }

  async function proveChosen(clientId: string | null, secret: string): Promise<ReadyApiKey | null> {
    if (clientId === null || checkChosenSecret(secret) !== null) return null;
    const key = await apiKeys.findByClientId(clientId);
    const hash = key === null ? null : bcryptHashOf(key.secretHash);
    if (key !== null && hash !== null && verifiedSecrets.has(key.id, key.secretVersion, secret)) return key;
    const isEqual = await secretHasher.compare(secret, hash ?? NOBODYS_BCRYPT_HASH);
    if (!isEqual || key === null || hash === null) return null;
    verifiedSecrets.add(key.id, key.secretVersion, secret);
    return key;
  }

  /**
   * The API key that the secret proves; null when it proves none.
   *
   * @throws {SecretHasherBusy} when too many chosen secrets are being checked.
   * @throws {DependencyUnavailable}
   */
  return async function authenticateClient({ clientId, secrets }: PresentedSecret): Promise<ReadyApiKey | null> {
    for (const secret of secrets) {
      const prove = isGeneratedSecretForm(secret) ? proveGenerated : proveChosen;
      const key = await prove(clientId, secret);
      if (key !== null) return key;
    }
    return null;
  };
}

export type ClientAuthenticator = ReturnType<typeof createClientAuthenticator>;
