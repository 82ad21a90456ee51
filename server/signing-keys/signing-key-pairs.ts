import type { TokenSigner } from '../access-tokens/token-signer.ts';
import type { SigningAlgorithm, SigningKey } from './signing-key.ts';

export type NewSigningKeyPair = Pick<SigningKey, 'kid' | 'algorithm' | 'publicJwk' | 'encryptedPrivateKey'>;

/** Makes key pairs and opens the private ones: the signing keys' door to cryptography. */
export interface SigningKeyPairs {
  generate(algorithm: SigningAlgorithm): Promise<NewSigningKeyPair>;
  /** Throws when the private key can't be decrypted or belongs to another kid. */
  signer(key: SigningKey): TokenSigner;
}
