import { IpAllowlist, PermissionSet } from '@keyturn/lib/protocol';
import { typeIdTimeMs } from '../type-id.ts';
import type { ApiKeyForExchange } from './api-key.ts';
import { permissionSetDigest } from './permission-set.ts';
import { bcryptHashOf, sha256OfGeneratedSecret } from './secret-hash.ts';

/** A secret that proves a key: its current one, or the previous one for as long as they overlap. */
export interface KeySecret {
  readonly secretVersion: number;
  /** Null for a chosen secret. */
  readonly sha256: Buffer | null;
  /** Null for a generated secret. */
  readonly bcryptHash: string | null;
}

const toKeySecret = (secretHash: string, secretVersion: number): KeySecret => ({
  secretVersion,
  sha256: sha256OfGeneratedSecret(secretHash),
  bcryptHash: bcryptHashOf(secretHash),
});

/** What follows from a key's record, worked out when first asked for and kept with the record. */
export class ApiKeyRules {
  readonly #key: ApiKeyForExchange;
  #allowlist: IpAllowlist | undefined;
  #permissionSet: PermissionSet | undefined;
  #permissionSetDigest: string | undefined;
  #currentSecret: KeySecret | undefined;
  #previousSecret: KeySecret | undefined;

  constructor(key: ApiKeyForExchange) {
    this.#key = key;
  }

  get allowlist(): IpAllowlist {
    this.#allowlist ??= IpAllowlist.parse(this.#key.ipAllowlist);
    return this.#allowlist;
  }

  get permissionSet(): PermissionSet {
    this.#permissionSet ??= PermissionSet.parse(this.#key.effectivePermissions);
    return this.#permissionSet;
  }

  /** Names the whole of the key's permissions in its sessions. */
  get permissionSetDigest(): string {
    this.#permissionSetDigest ??= permissionSetDigest(this.#key.effectivePermissions);
    return this.#permissionSetDigest;
  }

  /** What proves the key at that time, the current secret first. */
  secretsAt(nowMs: number): readonly [KeySecret] | readonly [KeySecret, KeySecret] {
    const { secretHash, secretVersion, previousSecret } = this.#key;
    this.#currentSecret ??= toKeySecret(secretHash, secretVersion);
    if (previousSecret === null || nowMs >= previousSecret.expiresAtMs) return [this.#currentSecret];
    this.#previousSecret ??= toKeySecret(previousSecret.hash, secretVersion - 1);
    return [this.#currentSecret, this.#previousSecret];
  }
}

/** An API key as the token endpoint works with it. */
export interface ReadyApiKey extends ApiKeyForExchange {
  readonly rules: ApiKeyRules;
}

/** A key whose secret was presented. */
export interface ProvenKey {
  readonly key: ReadyApiKey;
  /** Of that secret; see {@link SecretUse}. */
  readonly secretVersion: number;
}

export function readyApiKey(key: ApiKeyForExchange): ReadyApiKey {
  return { ...key, rules: new ApiKeyRules(key) };
}

/**
 * May a session go on that began with this version of the key's secret? One that the replaced secret began goes on for as long
 * as that secret does: whoever had got hold of it must not live on by refreshing. By the version and not by the time: an
 * instance that had not yet heard of the new secret began sessions with the old one after it.
 */
export function isOfLivingVersion(
  { secretVersion, previousSecret }: ApiKeyForExchange,
  sessionSecretVersion: number,
  nowMs: number,
): boolean {
  if (sessionSecretVersion >= secretVersion) return true;
  return previousSecret !== null && nowMs < previousSecret.expiresAtMs && sessionSecretVersion === secretVersion - 1;
}

/**
 * The same of an access token, which names no version: by when its session began or, without one, by when it was issued, to
 * the second. Clocks of instances that differ count by so much.
 */
export function isOfLivingSecret(
  { secretVersion, secretCreatedAtMs, previousSecret }: ApiKeyForExchange,
  { sessionId, issuedAtSeconds }: { readonly sessionId: string | null; readonly issuedAtSeconds: number },
  nowMs: number,
): boolean {
  if (secretVersion === 1) return true;
  const beganAtMs = sessionId === null ? issuedAtSeconds * 1000 + 999 : typeIdTimeMs(sessionId);
  if (beganAtMs >= secretCreatedAtMs) return true;
  return previousSecret !== null && nowMs < previousSecret.expiresAtMs && beganAtMs >= previousSecret.createdAtMs;
}
