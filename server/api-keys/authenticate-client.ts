import { isGeneratedSecretForm, parseGeneratedSecret } from '@keyturn/lib/protocol';
import type { ApiKeyReader } from './api-key-cache.ts';
import { type ChosenSecretProofOptions, createChosenSecretProof } from './prove-chosen-secret.ts';
import type { ProvenKey } from './ready-api-key.ts';
import { isSameSha256, sha256Of } from './secret-hash.ts';

export interface PresentedSecret {
  /** Null where the secret alone names its key. */
  readonly clientId: string | null;
  /** Readings of one secret, tried in order. */
  readonly secrets: readonly string[];
}

/**
 * Proves an API key (RFC 6749 §2.3), by its current secret or by the previous one while they overlap. Which way is taken, and so how long it takes, depends on what was presented and
 * never on what is stored: an unknown client_id costs what a wrong secret costs.
 */
export function createClientAuthenticator(
  options: ChosenSecretProofOptions & { readonly apiKeys: Pick<ApiKeyReader, 'findByClientIdSuffix'> },
) {
  const { apiKeys, clock } = options;
  const proveChosenSecret = createChosenSecretProof(options);

  async function proveGenerated(clientId: string | null, secret: string): Promise<ProvenKey | null> {
    // A mistyped or truncated key fails its checksum here, before any storage is asked.
    const parsed = parseGeneratedSecret(secret);
    if (parsed === null) return null;
    const key = await apiKeys.findByClientIdSuffix(parsed.clientIdSuffix);
    const [current, previous] = key?.rules.secretsAt(clock.nowMs()) ?? [];
    const sha256 = sha256Of(secret);
    // Both, whatever comes of the first and whether there is a second: the time tells nothing of the key.
    const isCurrent = isSameSha256(sha256, current?.sha256 ?? null);
    const isPrevious = isSameSha256(sha256, previous?.sha256 ?? null);
    const proving = isCurrent ? current : isPrevious ? previous : undefined;
    if (key === null || proving === undefined || (clientId !== null && clientId !== key.clientId)) return null;
    return { key, secretVersion: proving.secretVersion };
  }

  /**
   * The API key that the secret proves; null when it proves none.
   *
   * @throws {SecretHasherBusy} when too many chosen secrets are being checked.
   * @throws {DependencyUnavailable}
   */
  return async function authenticateClient({ clientId, secrets }: PresentedSecret): Promise<ProvenKey | null> {
    for (const secret of secrets) {
      const proven = isGeneratedSecretForm(secret) ? await proveGenerated(clientId, secret) : null;
      if (proven !== null) return proven;
    }
    // What has the form of a generated secret is none that anybody may have chosen.
    return clientId === null ? null : proveChosenSecret(clientId, secrets);
  };
}

export type ClientAuthenticator = ReturnType<typeof createClientAuthenticator>;
