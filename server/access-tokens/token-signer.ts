import type { SigningAlgorithm } from '../signing-keys/signing-key.ts';

/** Signs access tokens with one signing key. */
export interface TokenSigner {
  /** Names the key in the token's header and in the JWKS. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  /** Size of every signature, before base64url. */
  readonly signatureBytes: number;
  /** A JWS in compact form (RFC 7515 §7.1) with the header of {@link accessTokenHeader}. */
  sign(payload: object): string;
}

/** The protected header of an access token (RFC 9068 §2.1) as JSON. */
export function accessTokenHeader(signer: Pick<TokenSigner, 'kid' | 'algorithm'>): string {
  return JSON.stringify({ alg: signer.algorithm, typ: 'at+jwt', kid: signer.kid });
}
