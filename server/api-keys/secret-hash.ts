import { createHash, timingSafeEqual } from 'node:crypto';

/** How a stored secret is tagged: the tag says what proves it. */
const SHA256 = 'sha256:';
const BCRYPT = 'bcrypt:';

/** A generated secret has 256 random bits, so one SHA-256 is enough; there is nothing to guess by trying. */
export function hashGeneratedSecret(secret: string): string {
  return SHA256 + createHash('sha256').update(secret).digest('base64url');
}

export function tagBcryptHash(hash: string): string {
  return BCRYPT + hash;
}

/** The bcrypt hash of a chosen secret; null for a generated one's. */
export function bcryptHashOf(secretHash: string): string | null {
  return secretHash.startsWith(BCRYPT) ? secretHash.slice(BCRYPT.length) : null;
}

const NOBODYS_HASH = hashGeneratedSecret('');

/**
 * Compares in constant time. `secretHash` null, or of a chosen secret, takes as long and is never equal, so that the
 * time tells nothing of which keys exist.
 */
export function isGeneratedSecret(secret: string, secretHash: string | null): boolean {
  const isComparable = secretHash?.startsWith(SHA256) === true;
  const expected = Buffer.from(isComparable ? secretHash : NOBODYS_HASH);
  const isEqual = timingSafeEqual(Buffer.from(hashGeneratedSecret(secret)), expected);
  return isEqual && isComparable;
}
