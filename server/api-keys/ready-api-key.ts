import { IpAllowlist, PermissionSet } from '@keyturn/lib/protocol';
import type { ApiKeyForExchange } from './api-key.ts';
import { permissionSetDigest } from './permission-set.ts';
import { sha256OfGeneratedSecret } from './secret-hash.ts';

/** What follows from a key's record, worked out when first asked for and kept with the record. */
export class ApiKeyRules {
  readonly #key: ApiKeyForExchange;
  #allowlist: IpAllowlist | undefined;
  #permissionSet: PermissionSet | undefined;
  #permissionSetDigest: string | undefined;
  #secretSha256: Buffer | null | undefined;

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

  /** Null for a chosen secret. */
  get secretSha256(): Buffer | null {
    if (this.#secretSha256 === undefined) this.#secretSha256 = sha256OfGeneratedSecret(this.#key.secretHash);
    return this.#secretSha256;
  }
}

/** An API key as the token endpoint works with it. */
export interface ReadyApiKey extends ApiKeyForExchange {
  readonly rules: ApiKeyRules;
}

export function readyApiKey(key: ApiKeyForExchange): ReadyApiKey {
  return { ...key, rules: new ApiKeyRules(key) };
}
