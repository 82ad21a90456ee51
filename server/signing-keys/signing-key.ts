export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** pending: in the JWKS, signs nothing yet. active: signs. retiring: verifies only. retired: out of the JWKS. */
export type SigningKeyState = 'pending' | 'active' | 'retiring' | 'retired';

/**
 * A JWT key pair. Its state follows from its times and the clock alone (see {@link signingKeyState}), so that instances
 * agree without talking to each other.
 */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  /** 1, 2, 3 …: unique, so that of two instances that add a key at once one fails and reads the other's. */
  readonly sequence: number;
  readonly algorithm: SigningAlgorithm;
  /** RFC 7517, with `kid`, `alg` and `use: "sig"`. */
  readonly publicJwk: Readonly<Record<string, string>>;
  /** Encrypted under the master key, with the kid as associated data. */
  readonly encryptedPrivateKey: string;
  readonly createdAtMs: number;
  readonly activeFromMs: number;
  /** When its successor takes over; null while there is none. */
  readonly retiringFromMs: number | null;
  /** When every token that it signed has expired; null while there is no successor. */
  readonly retiredFromMs: number | null;
}
