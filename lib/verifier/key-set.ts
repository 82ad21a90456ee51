import { isJsonObject } from './canonical-json.ts';
import { parseVerificationKey, type VerificationKey } from './verification-key.ts';

/** An issuer has one header text per signing key; the bound only guards against one that is unlike ours. */
const MAX_REMEMBERED_HEADERS = 64;

/**
 * The usable keys of one JWKS document, by kid. Other keys are a new set, so what is remembered about headers here, and
 * about tokens elsewhere by this object, never outlives the keys it was decided with.
 */
export class KeySet {
  // Maps, not objects: a kid such as `__proto__` or `constructor` must find nothing.
  readonly #keysByKid: ReadonlyMap<string, VerificationKey>;
  readonly #keysByHeader = new Map<string, VerificationKey>();

  constructor(keys: readonly VerificationKey[]) {
    this.#keysByKid = new Map(keys.toReversed().map((key) => [key.kid, key]));
  }

  find(kid: string): VerificationKey | undefined {
    return this.#keysByKid.get(kid);
  }

  /** The key of a header segment that was {@link remember}ed. */
  recall(headerSegment: string): VerificationKey | undefined {
    return this.#keysByHeader.get(headerSegment);
  }

  /** Whether this set would decide everything as the other does. */
  hasSameKeysAs(other: KeySet): boolean {
    if (this.#keysByKid.size !== other.#keysByKid.size) return false;
    for (const [kid, key] of this.#keysByKid) {
      const counterpart = other.#keysByKid.get(kid);
      if (counterpart === undefined || !isSameKey(key, counterpart)) return false;
    }
    return true;
  }

  /** Only for headers under a valid signature: anyone else could fill the memory. */
  remember(headerSegment: string, key: VerificationKey): void {
    if (this.#keysByHeader.has(headerSegment)) return;
    if (this.#keysByHeader.size >= MAX_REMEMBERED_HEADERS) this.#keysByHeader.clear();
    this.#keysByHeader.set(headerSegment, key);
  }
}

function isSameKey(key: VerificationKey, other: VerificationKey): boolean {
  return key.algorithm === other.algorithm && key.publicKey.equals(other.publicKey);
}

/**
 * Reads a JWKS (RFC 7517 §5), ignoring keys that are not usable here. Of two keys with one kid the first stands.
 *
 * @param before the set that was read last: returned itself when the keys are still the same, with all that hangs on it
 * @throws {Error} when there is no `keys` array, or no usable key in it
 */
export function parseKeySet(jwks: unknown, before: KeySet | null = null): KeySet {
  const keys = isJsonObject(jwks) ? jwks['keys'] : undefined;
  if (!Array.isArray(keys)) throw new Error('the JWKS has no "keys" array');
  const usable = keys.map(parseVerificationKey).filter((key) => key !== null);
  if (usable.length === 0) throw new Error('the JWKS has no usable key');
  const keySet = new KeySet(usable);
  return before?.hasSameKeysAs(keySet) ? before : keySet;
}
