import { formatGeneratedSecret } from '@keyturn/lib/protocol';
import type { Clock } from '../clock.ts';
import { BASE62, LOWER_ALPHANUMERIC, newId, randomText } from '../random.ts';
import type { ApiKey } from './api-key.ts';
import { bcryptHashOf, bcryptSaltOf, hashGeneratedSecret, tagBcryptHash } from './secret-hash.ts';
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

export interface NewSecret {
  /** To be shown once, and kept nowhere. */
  readonly clientSecret: string;
  readonly secretHash: string;
  readonly hint: string;
}

const saltOf = (secretHash: string | null): string | undefined => {
  const bcryptHash = secretHash && bcryptHashOf(secretHash);
  return bcryptHash ? bcryptSaltOf(bcryptHash) : undefined;
};

/**
 * A generated secret for the client_id that ends in `suffix`; or the chosen one, which has been checked against the rules
 * before (`checkChosenSecret`).
 *
 * @param besideSecretHash hash of the secret that goes on working beside this one. Two chosen ones have one salt, so that one
 *   bcrypt tells whether a client has sent either: a second one would take twice as long, and tell strangers of the overlap.
 * @throws {SecretHasherBusy} for a chosen secret, when too many are being hashed.
 */
export async function makeSecret(
  suffix: string,
  chosenSecret: string | null,
  secretHasher: Pick<SecretHasher, 'hash'>,
  besideSecretHash: string | null = null,
): Promise<NewSecret> {
  const clientSecret = chosenSecret ?? formatGeneratedSecret(suffix, randomText(SECRET_RANDOM_LENGTH, BASE62));
  const secretHash =
    chosenSecret === null
      ? hashGeneratedSecret(clientSecret)
      : tagBcryptHash(await secretHasher.hash(chosenSecret, saltOf(besideSecretHash)));
  return { clientSecret, secretHash, hint: clientSecret.slice(-HINT_LENGTH) };
}

/**
 * Makes an API key with a generated or a chosen secret, as {@link makeSecret}. Nothing is stored yet.
 *
 * @throws {SecretHasherBusy}
 */
export async function makeApiKey(
  description: ApiKeyDescription,
  chosenSecret: string | null,
  { clock, secretHasher }: { readonly clock: Clock; readonly secretHasher: SecretHasher },
): Promise<NewApiKey> {
  const suffix = randomText(SUFFIX_LENGTH, LOWER_ALPHANUMERIC);
  const { clientSecret, secretHash, hint } = await makeSecret(suffix, chosenSecret, secretHasher);
  const nowMs = clock.nowMs();
  const apiKey: ApiKey = {
    ...description,
    id: newId('key'),
    clientId: `${slugOf(description.name)}_${suffix}`,
    isValid: true,
    secretHash,
    hint,
    secretVersion: 1,
    secretCreatedAtMs: nowMs,
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
