import { formatGeneratedSecret } from '@keyturn/lib/protocol';
import type { Clock } from '../clock.ts';
import { BASE62, LOWER_ALPHANUMERIC, newId, randomText } from '../random.ts';
import type { ApiKey } from './api-key.ts';
import { hashGeneratedSecret, tagBcryptHash } from './secret-hash.ts';
import type { SecretHasher } from './secret-hasher.ts';

const SLUG_MAX_LENGTH = 40;
const SUFFIX_LENGTH = 25;
/** 43 base-62 characters hold 256 random bits. */
const SECRET_RANDOM_LENGTH = 43;
const HINT_LENGTH = 4;

export type ApiKeyDescription = Pick<
  ApiKey,
  | 'projectId'
  | 'name'
  | 'description'
  | 'ownerId'
  | 'permissions'
  | 'roles'
  | 'effectivePermissions'
  | 'ipAllowlist'
  | 'expiresAtMs'
  | 'refreshTokens'
  | 'refreshRequiresClientAuth'
  | 'createdBy'
>;

export interface NewApiKey {
  readonly apiKey: ApiKey;
  /** To be shown once, and kept nowhere. */
  readonly clientSecret: string;
}

/** The readable part of a client_id: `myKey03` stays `myKey03`, `CI runner (eu)` becomes `CI-runner-eu`. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(0, SLUG_MAX_LENGTH)
    .replace(/^-|-$/g, '');
  return slug || 'key';
}

/**
 * Makes an API key with a generated secret, or with the chosen one, which has been checked against the rules before
 * (`checkChosenSecret`). Nothing is stored yet.
 *
 * @throws {SecretHasherBusy} for a chosen secret, when too many are being hashed.
 */
export async function makeApiKey(
  description: ApiKeyDescription,
  chosenSecret: string | null,
  { clock, secretHasher }: { readonly clock: Clock; readonly secretHasher: SecretHasher },
): Promise<NewApiKey> {
  const suffix = randomText(SUFFIX_LENGTH, LOWER_ALPHANUMERIC);
  const clientSecret = chosenSecret ?? formatGeneratedSecret(suffix, randomText(SECRET_RANDOM_LENGTH, BASE62));
  const nowMs = clock.nowMs();
  const apiKey: ApiKey = {
    ...description,
    id: newId('key'),
    clientId: `${slugOf(description.name)}_${suffix}`,
    isValid: true,
    secretHash:
      chosenSecret === null ? hashGeneratedSecret(clientSecret) : tagBcryptHash(await secretHasher.hash(chosenSecret)),
    hint: clientSecret.slice(-HINT_LENGTH),
    secretVersion: 1,
    secretLastUsedAtMs: null,
    previousSecret: null,
    version: 1,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    lastUsedAtMs: null,
    lastUsedIp: null,
    lastDeniedAtMs: null,
    lastDeniedReason: null,
  };
  return { apiKey, clientSecret };
}
