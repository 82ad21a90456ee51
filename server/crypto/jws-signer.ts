import { constants, type KeyObject, sign } from 'node:crypto';
import { accessTokenHeader, type TokenSigner } from '../access-tokens/token-signer.ts';
import type { SigningAlgorithm } from '../signing-keys/signing-key.ts';

type RawSign = (data: Buffer) => Buffer;

/** RFC 7518 §3.3 to §3.5 and RFC 8037 §3.1. */
function rawSign(algorithm: SigningAlgorithm, key: KeyObject): RawSign {
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  const inputs = {
    ES256: { key, dsaEncoding: 'ieee-p1363' },
    EdDSA: { key },
    RS256: { key },
    PS256: { key, padding, saltLength },
  } as const;
  const input = inputs[algorithm];
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  return (data) => sign(digest, data, input);
}

/**
 * Synchronous on purpose: an ES256 signature takes 25 µs here and 84 µs through jose's promises and WebCrypto, which
 * also queue behind whatever else is on libuv's four threads.
 */
export function createJwsSigner(kid: string, algorithm: SigningAlgorithm, privateKey: KeyObject): TokenSigner {
  const header = `${Buffer.from(accessTokenHeader({ kid, algorithm })).toString('base64url')}.`;
  const signBytes = rawSign(algorithm, privateKey);
  const modulusBits = privateKey.asymmetricKeyDetails?.modulusLength;
  return {
    kid,
    algorithm,
    // r and s of P-256, or R and S of Ed25519, are 32 bytes each; an RSA signature is as long as the modulus.
    signatureBytes: modulusBits === undefined ? 64 : Math.ceil(modulusBits / 8),
    sign(payload) {
      const signingInput = header + Buffer.from(JSON.stringify(payload)).toString('base64url');
      return `${signingInput}.${signBytes(Buffer.from(signingInput, 'latin1')).toString('base64url')}`;
    },
  };
}
