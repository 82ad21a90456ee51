import type { SigningKey } from './signing-key.ts';

/**
 * The end that a key gets: a predecessor when a key is added (`retiredFromMs` later than `retiringFromMs`), or a revoked
 * key (the two equal, the moment of revocation).
 */
export interface SigningKeyRetirement {
  readonly kid: string;
  readonly retiringFromMs: number;
  readonly retiredFromMs: number;
}

/**
 * Answers or throws {@link DependencyUnavailable} within about a second. Both writes leave a revoked key (equal times)
 * as it is, so that a rotation which began before a revocation can't take it back; unknown kids are passed over.
 */
export interface SigningKeyStore {
  /** All that were ever made, by sequence. */
  list(): Promise<readonly SigningKey[]>;
  /** Adds a key and retires others, in one transaction; false, and nothing changed, when its sequence is taken. */
  add(key: SigningKey, retirements: readonly SigningKeyRetirement[]): Promise<boolean>;
  /** Retires keys without adding one, in one transaction. */
  retire(retirements: readonly SigningKeyRetirement[]): Promise<void>;
}
