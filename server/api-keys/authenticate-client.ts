import { isGeneratedSecretForm, parseGeneratedSecret } from '@keyturn/lib/protocol';
import type { ApiKeyReader } from './api-key-cache.ts';
import { type ChosenSecretProofOptions, createChosenSecretProof } from './prove-chosen-secret.ts';
import type { ReadyApiKey } from './ready-api-key.ts';
import { isGeneratedSecret } from './secret-hash.ts';

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
export function createClientAuthenticator(
  options: ChosenSecretProofOptions & { readonly apiKeys: Pick<ApiKeyReader, 'findByClientIdSuffix'> },
) {
  const { apiKeys } = options;
  const proveChosenSecret = createChosenSecretProof(options);

  async function proveGenerated(clientId: string | null, secret: string): Promise<ReadyApiKey | null> {
    // A mistyped or truncated key fails its checksum here, before any storage is asked.
    const parsed = parseGeneratedSecret(secret);
    if (parsed === null) return null;
    const key = await apiKeys.findByClientIdSuffix(parsed.clientIdSuffix);
    const isProven = isGeneratedSecret(secret, key?.rules.secretSha256 ?? null);
    return isProven && (clientId === null || clientId === key?.clientId) ? key : null;
  }

  /**
   * The API key that the secret proves; null when it proves none.
   *
   * @throws {SecretHasherBusy} when too many chosen secrets are being checked.
   * @throws {DependencyUnavailable}
   */
  return async function authenticateClient({ clientId, secrets }: PresentedSecret): Promise<ReadyApiKey | null> {
    for (const secret of secrets) {
      const key = isGeneratedSecretForm(secret) ? await proveGenerated(clientId, secret) : null;
      if (key !== null) return key;
    }
    // What has the form of a generated secret is none that anybody may have chosen.
    return clientId === null ? null : proveChosenSecret(clientId, secrets);
  };
}

export type ClientAuthenticator = ReturnType<typeof createClientAuthenticator>;
