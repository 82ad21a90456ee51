import { hash, timingSafeEqual } from 'node:crypto';

/** How a stored secret is tagged: the tag says what proves it. */
const SHA256 = 'sha256:';
const BCRYPT = 'bcrypt:';

/** A generated secret has 256 random bits, so one SHA-256 is enough; there is nothing to guess by trying. */
export function hashGeneratedSecret(secret: string): string {
  return SHA256 + hash('sha256', secret, 'base64url');
}

export function tagBcryptHash(hash: string): string {
  return BCRYPT + hash;
}

const BCRYPT_SALT_CHARACTERS = '$2b$12$'.length + 22;

/** What stands before the digest in a bcrypt hash: version, cost and salt. */
export function bcryptSaltOf(bcryptHash: string): string {
  return bcryptHash.slice(0, BCRYPT_SALT_CHARACTERS);
}

/** The bcrypt hash of a chosen secret; null for a generated one's. */
export function bcryptHashOf(secretHash: string): string | null {
  return secretHash.startsWith(BCRYPT) ? secretHash.slice(BCRYPT.length) : null;
}

/** The hash of a generated secret; null for a chosen one's. */
export function sha256OfGeneratedSecret(secretHash: string): Buffer | null {
  return secretHash.startsWith(SHA256) ? Buffer.from(secretHash.slice(SHA256.length), 'base64url') : null;
}

export function sha256Of(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

const NOBODYS_SHA256 = sha256Of('');

/**
 * Compares in constant time. `stored` null takes as long and is never equal, so that the time tells nothing of which keys
 * exist.
 */
export function isSameSha256(presented: Buffer, stored: Buffer | null): boolean {
  const isEqual = timingSafeEqual(presented, stored ?? NOBODYS_SHA256);
  return isEqual && stored !== null;
}

/** Compares two bcrypt hashes in constant time. */
export function isSameBcryptHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
